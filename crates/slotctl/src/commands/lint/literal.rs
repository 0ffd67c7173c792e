//! The texts of a file, and the place of each: the place determines the reader of a text.

use std::rc::Rc;

/// A text in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// The line of the text, from 1.
    pub(super) line: usize,
    /// The first line of the value or of the call that the text is a part of, from 1.
    pub(super) begins: usize,
    /// The text without quotes and escapes, with the spaces around it.
    pub(super) text: String,
    pub(super) place: Place,
}

/// The place at which a text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value of a key.
    Value(Value),
    /// An argument of a call in a script.
    Argument { call: Rc<Call>, index: usize },
    /// A specifier of a module: `import`, `export … from`, a type import.
    Module,
    /// `{{> name}}` in a template, with the agent whose template it is.
    Partial(Owner),
    /// Anything else in a script.
    Script,
}

/// The place of a value in mappings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// The keys that lead to the value, the outermost first; sequences have no key.
    pub(super) keys: Vec<String>,
    /// The agent or the step that the value configures.
    pub(super) owner: Owner,
    /// The call that has the mapping as an argument.
    pub(super) call: Option<Rc<Call>>,
    /// True if the mapping is an object of a script.
    pub(super) in_script: bool,
}

/// The innermost mapping around a value that defines or names an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The value of `operation`.
    pub(super) operation: Option<String>,
    /// The value of `agent`: a step of a flow.
    pub(super) agent: Option<String>,
    /// True if the mapping is the whole document: an agent's own file.
    pub(super) is_document: bool,
}

/// A call in a script.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The names of the callee, for example `ctx`, `schemas`, `get`.
    pub(super) callee: Vec<String>,
    /// True if the first name was taken out of an object: `const { schemas } = ctx`.
    pub(super) destructured: bool,
    pub(super) arguments: Vec<Argument>,
}

/// An argument of a call, as far as the text of the script shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Text(String),
    Call(Rc<Call>),
    Other,
}

/// Returns the text of an argument.
pub(super) fn text_of(call: &Call, index: usize) -> Option<&str> {
    match call.arguments.get(index) {
        Some(Argument::Text(text)) => Some(text),
        _ => None,
    }
}

/// The texts, agents, comments and problems of a file.
#[derive(Debug, Default)]
pub(super) struct DocumentContents {
    pub(super) literals: Vec<Literal>,
    /// The agents that the file defines: name and operation.
    pub(super) agents: Vec<(String, String)>,
    /// The comments that silence a line.
    pub(super) ignores: Vec<Ignore>,
    pub(super) problems: Vec<LintProblem>,
}

/// A comment with `slotctl-ignore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ignore {
    /// The line of the comment, from 1.
    pub(super) line: usize,
    /// The line that the comment silences.
    pub(super) silences: usize,
}

/// A problem with the file itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LintProblem {
    pub(super) line: usize,
    pub(super) code: &'static str,
    /// True if Conductor refuses the file.
    pub(super) is_error: bool,
    pub(super) what: String,
    pub(super) help: Option<String>,
}

/// Finds the line of a byte.
pub(super) struct Lines {
    starts: Vec<usize>,
}

/// Returns the lines of a text.
pub(super) fn lines_of(text: &str) -> Lines {
    let after = text.match_indices('\n').map(|(at, _)| at + 1);
    Lines { starts: std::iter::once(0).chain(after).collect() }
}

impl Lines {
    /// Returns the line of the byte at `offset`, from 1.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}
