//! What can be wrong with JSON, and where.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

/// Why a text is not the JSON that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    what: String,
    line: usize,
    column: usize,
}

impl JsonError {
    /// A fault at an offset of a text.
    fn new(what: String, text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        Self { what, line: lines + 1, column: before.len() - line }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.what, self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

/// What is wrong, before it is known where. A value of the text is never quoted: it may
/// be a secret.
// A pointer, so that a result of anything is small.
#[derive(Debug)]
pub(super) struct Fault(Box<(String, Option<usize>)>);

impl Fault {
    /// A fault at an offset; `None` for behind what was read last.
    pub(super) fn new(what: String, offset: Option<usize>) -> Self {
        Self(Box::new((what, offset)))
    }

    /// Says where it is, given what was read and up to where.
    pub(super) fn locate(self, text: &[u8], read: usize) -> JsonError {
        let (what, offset) = *self.0;
        JsonError::new(what, text, offset.unwrap_or(read))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0)
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    #[cold]
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::new(what.to_string(), None)
    }

    // serde's own would bring the formatting of floats and of escaped text along, which
    // is a tenth of the Worker.
    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        wrong("type", found, expected)
    }

    #[cold]
    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        wrong("value", found, expected)
    }
}

fn wrong(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Fault {
    let found = match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a text",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "something else",
    };
    Fault::custom(format_args!("invalid {what}: {found}, expected {expected}"))
}
