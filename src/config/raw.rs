//! Settings as the runtime hands them over, before their meaning is read.

use catalog::refusal::Refusal;

/// A setting by its type. What is set and cannot be read is never taken for unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawSetting {
    /// The setting is not set.
    Unset,
    /// A text: a variable or a secret.
    Text(String),
    /// A variable of another type, as JSON: a number, a table, an array, `null`.
    Json(String),
    /// Anything else, for example a KV namespace under the name of the setting.
    Unreadable,
}

/// A setting, or the refusal of every request that needs it. A setting that is set but
/// invalid must not count as unset.
pub type Setting<T> = Result<T, Refusal>;

/// The error of a setting whose type or text has no meaning for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl RawSetting {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for every other type.
    pub fn text(&self) -> Result<Option<&str>, Invalid> {
        match self {
            Self::Unset => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Json(_) | Self::Unreadable => Err(Invalid),
        }
    }

    /// Reads a JSON document: its text, or the table itself.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a binding. The caller parses the document.
    pub fn document(&self) -> Result<Option<&str>, Invalid> {
        match self {
            Self::Unset => Ok(None),
            Self::Text(json) | Self::Json(json) => Ok(Some(json)),
            Self::Unreadable => Err(Invalid),
        }
    }

    /// Reads a whole number, written as a number or as a text.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for everything that is not a number from 0 to 4,294,967,295.
    pub fn number(&self) -> Result<Option<u32>, Invalid> {
        let digits = self.document()?;
        digits.map(|digits| digits.trim().parse().map_err(|_| Invalid)).transpose()
    }

    /// Reads a list of texts: an array, or one text in which commas or white space separate
    /// them.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for every other type.
    pub fn list(&self) -> Result<Vec<String>, Invalid> {
        match self {
            Self::Unset => Ok(Vec::new()),
            Self::Text(text) => {
                let texts = text.split([',', ' ', '\t', '\r', '\n']);
                Ok(texts.filter(|text| !text.is_empty()).map(str::to_owned).collect())
            }
            Self::Json(json) => serde_json::from_str(json).map_err(|_| Invalid),
            Self::Unreadable => Err(Invalid),
        }
    }
}

impl From<Option<String>> for RawSetting {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Unset, Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> RawSetting {
        RawSetting::Json(text.to_owned())
    }

    fn text(text: &str) -> RawSetting {
        RawSetting::Text(text.to_owned())
    }

    #[test]
    fn number_reads_digits_as_a_number_and_as_a_text() {
        for setting in [json("120"), text("120"), text(" 120\n")] {
            assert_eq!(setting.number(), Ok(Some(120)), "{setting:?}");
        }
        assert_eq!(RawSetting::Unset.number(), Ok(None));
        for invalid in ["", "soon", "-1", "1.5", "4294967296", "null", "true", "[120]", "{}"] {
            assert_eq!(json(invalid).number(), Err(Invalid), "{invalid}");
            assert_eq!(text(invalid).number(), Err(Invalid), "{invalid}");
        }
        assert_eq!(RawSetting::Unreadable.number(), Err(Invalid));
    }

    #[test]
    fn list_reads_an_array_and_a_separated_text() {
        let list = vec!["a".to_owned(), "b".to_owned()];
        for setting in [json(r#"["a","b"]"#), text("a, b"), text("\r\na\tb ,")] {
            assert_eq!(setting.list().as_ref(), Ok(&list), "{setting:?}");
        }
        assert_eq!((RawSetting::Unset.list(), text(" ").list()), (Ok(vec![]), Ok(vec![])));
        for invalid in [json("null"), json("1"), json("[1]"), json("{}"), RawSetting::Unreadable] {
            assert_eq!(invalid.list(), Err(Invalid), "{invalid:?}");
        }
    }

    #[test]
    fn text_and_document_refuse_other_types() {
        assert_eq!((text("a").text(), text("{}").document()), (Ok(Some("a")), Ok(Some("{}"))));
        assert_eq!((json("1").text(), json("{}").document()), (Err(Invalid), Ok(Some("{}"))));
        let unreadable = RawSetting::Unreadable;
        assert_eq!((unreadable.text(), unreadable.document()), (Err(Invalid), Err(Invalid)));
    }
}
