//! Reads HTML and other templates: only their partials name components.

use super::expression::partials;
use super::literal::{DocumentContents, Literal, Owner, Place, lines_of};
use super::silence::in_markup;

/// Returns the contents of a file.
pub(super) fn read(text: &str) -> DocumentContents {
    let lines = lines_of(text);
    let literal = |name: &str| {
        // `name` is a part of `text`, so that the difference of the two addresses is its offset.
        let line = lines.at(name.as_ptr().addr() - text.as_ptr().addr());
        Literal {
            line,
            begins: line,
            text: name.to_owned(),
            place: Place::Partial(Owner::default()),
        }
    };
    let literals = partials(text).into_iter().map(literal).collect();
    DocumentContents { literals, ignores: in_markup(text, &lines), ..DocumentContents::default() }
}
