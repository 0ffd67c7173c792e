//! `If-None-Match` (RFC 9110, section 13.1.2).

use catalog::digest::Digest;

use crate::http::Request;
use crate::http::headers::IF_NONE_MATCH;

/// Tells if `If-None-Match` says that the caller has the content `digest`.
pub(crate) fn has_current(request: &Request<'_>, digest: &Digest) -> bool {
    let field = (request.header)(IF_NONE_MATCH);
    field.is_some_and(|field| is_match(&field, &digest.to_string()))
}

/// Tells if the field is `*` or lists `opaque`, an entity tag without its quotes.
///
/// Tags are compared weakly, as the RFC requires for this field. In a malformed list only
/// the tags before the first mistake count.
pub fn is_match(field: &str, opaque: &str) -> bool {
    let field = field.trim_matches([' ', '\t']);
    field == "*" || EntityTags(field).any(|tag| tag == opaque)
}

/// An iterator over the opaque tags of a list of entity tags (RFC 9110, section 8.8.3).
struct EntityTags<'a>(&'a str);

impl<'a> Iterator for EntityTags<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start_matches([' ', '\t', ',']);
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, rest) = quoted.split_once('"')?;
        self.0 = rest;
        Some(tag)
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
}
