//! Conditional requests: `If-Match` and `If-None-Match` (RFC 9110, section 13.1).

use catalog::digest::Digest;
use catalog::refusal::Refusal;

use crate::http::Request;
use crate::http::headers::{IF_MATCH, IF_NONE_MATCH};

/// Checks `If-Match`, which is evaluated before `If-None-Match` (RFC 9110, section 13.2.2).
///
/// # Errors
///
/// 412 if the field names neither `*` nor the content `digest`.
pub(crate) fn check_match(request: &Request<'_>, digest: &Digest) -> Result<(), Refusal> {
    match (request.header)(IF_MATCH) {
        Some(field) if !is_strong_match(&field, &digest.to_string()) => {
            Err(Refusal::PreconditionFailed(*digest))
        }
        _ => Ok(()),
    }
}

/// Tells if `If-None-Match` says that the caller has the content `digest`.
pub(crate) fn has_current(request: &Request<'_>, digest: &Digest) -> bool {
    let field = (request.header)(IF_NONE_MATCH);
    field.is_some_and(|field| is_match(&field, &digest.to_string()))
}

/// Tells if the field is `*` or lists `opaque`, an entity tag without its quotes.
///
/// Tags are compared weakly, as the RFC requires for `If-None-Match`. In a malformed list only
/// the tags before the first mistake count.
pub fn is_match(field: &str, opaque: &str) -> bool {
    is_any(field) || EntityTags(field).any(|tag| tag.opaque == opaque)
}

/// Like [`is_match`], but compares strongly, as the RFC requires for `If-Match`: a weak tag
/// matches nothing.
fn is_strong_match(field: &str, opaque: &str) -> bool {
    is_any(field) || EntityTags(field).any(|tag| !tag.weak && tag.opaque == opaque)
}

fn is_any(field: &str) -> bool {
    field.trim_matches([' ', '\t']) == "*"
}

/// An entity tag (RFC 9110, section 8.8.3).
struct EntityTag<'a> {
    opaque: &'a str,
    weak: bool,
}

/// An iterator over a list of entity tags.
struct EntityTags<'a>(&'a str);

impl<'a> Iterator for EntityTags<'a> {
    type Item = EntityTag<'a>;

    fn next(&mut self) -> Option<EntityTag<'a>> {
        let rest = self.0.trim_start_matches([' ', '\t', ',']);
        let weak = rest.strip_prefix("W/");
        let quoted = weak.unwrap_or(rest).strip_prefix('"')?;
        let (opaque, rest) = quoted.split_once('"')?;
        self.0 = rest;
        Some(EntityTag { opaque, weak: weak.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_match_reads_lists_weak_tags_and_the_asterisk() {
        for field in ["\"a\"", "W/\"a\"", "*", " * ", "\"x\", \"a\"", "\"x,y\" ,W/\"a\",", ",\"a\""]
        {
            assert!(is_match(field, "a"), "{field}");
        }
        for field in ["", "a", "\"b\"", "\"ab\"", "'a'", "w/\"a\"", "x\"a\"", "\"a", "**", "\"*\""]
        {
            assert!(!is_match(field, "a"), "{field}");
        }
    }

    #[test]
    fn a_weak_tag_is_no_strong_match() {
        for field in ["\"a\"", "*", "\"x\", \"a\"", "W/\"a\", \"a\""] {
            assert!(is_strong_match(field, "a"), "{field}");
        }
        for field in ["", "a", "W/\"a\"", "\"b\"", "\"a"] {
            assert!(!is_strong_match(field, "a"), "{field}");
        }
    }
}
