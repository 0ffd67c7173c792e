//! The note that Ctrl-C prints.

/// The state that an interruption of the command would leave now.
#[derive(Clone, Debug)]
pub(crate) struct Leftover {
    /// The state as the end of "interrupted: ".
    pub(crate) what: String,
    /// Commands that continue or undo.
    pub(crate) hints: Vec<String>,
}
