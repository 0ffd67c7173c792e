//! Types that records store as text.

/// Lets serde parse a type with its `FromStr` and write it with its `Display`
/// (`#[serde(try_from = "String", into = "String")]`), so that a record accepts exactly the
/// texts of the grammar.
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
