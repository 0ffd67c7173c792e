//! `If-None-Match` (RFC 9110, section 13.1.2).

/// Whether the field lists `opaque` (an entity tag without its quotes), or is `*`.
///
/// Tags are compared weakly, as the RFC asks for this field. What is not a list
/// of entity tags matches nothing from the first mistake on.
pub fn matches(field: &str, opaque: &str) -> bool {
    let field = field.trim_matches([' ', '\t']);
    field == "*" || EntityTags(field).any(|tag| tag == opaque)
}

/// The opaque parts of a list of entity tags (RFC 9110, section 8.8.3).
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
    fn lists_weak_tags_and_the_asterisk() {
        for field in ["\"a\"", "W/\"a\"", "*", " * ", "\"x\", \"a\"", "\"x,y\" ,W/\"a\",", ",\"a\""]
        {
            assert!(matches(field, "a"), "{field}");
        }
        for field in ["", "a", "\"b\"", "\"ab\"", "'a'", "w/\"a\"", "x\"a\"", "\"a", "**", "\"*\""]
        {
            assert!(!matches(field, "a"), "{field}");
        }
    }
}
