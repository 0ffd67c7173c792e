//! The note that Ctrl-C prints.

/// The state in which a command would leave things if it were interrupted now.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    /// The things that stay, as the end of "interrupted: ".
    pub(crate) what: String,
    /// Commands that go on or go back.
    pub(crate) hints: Vec<String>,
}
