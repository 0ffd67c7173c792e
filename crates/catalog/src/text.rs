//! Types that records hold as text.

/// Lets serde read a type by its `FromStr` and write it by its `Display`
/// (`#[serde(try_from = "String", into = "String")]`), so that a record admits
/// what the grammar does and nothing else.
macro_rules! stored_as_text {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use stored_as_text;
