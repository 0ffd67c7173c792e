//! Media types of components.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A media type (RFC 9110, section 8.3.1) that is safe in a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(String);

/// Media types by file extension: registered with IANA if possible, else in common use. All of
/// these are text.
const TEXT: [(&str, &str); 42] = [
    ("cjs", "text/javascript"),
    ("conf", "text/plain"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("ejs", "text/plain"),
    ("gql", "application/graphql"),
    ("graphql", "application/graphql"),
    ("handlebars", "text/x-handlebars-template"),
    ("hbs", "text/x-handlebars-template"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ini", "text/plain"),
    ("j2", "text/plain"),
    ("jinja", "text/plain"),
    ("jinja2", "text/plain"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("json5", "application/json5"),
    ("jsonl", "application/jsonl"),
    ("jsx", "text/javascript"),
    ("liquid", "text/plain"),
    ("markdown", "text/markdown"),
    ("md", "text/markdown"),
    ("mdx", "text/markdown"),
    ("mjs", "text/javascript"),
    ("mustache", "text/plain"),
    ("njk", "text/plain"),
    ("prompt", "text/plain"),
    ("proto", "text/plain"),
    ("py", "text/x-python"),
    ("rb", "text/x-ruby"),
    ("sh", "application/x-sh"),
    ("sql", "application/sql"),
    ("svg", "image/svg+xml"),
    ("toml", "application/toml"),
    ("ts", "text/x-typescript"),
    ("tsx", "text/x-typescript"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
];

const BINARY: [(&str, &str); 9] = [
    ("avif", "image/avif"),
    ("gif", "image/gif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("wasm", "application/wasm"),
    ("webp", "image/webp"),
    ("zip", "application/zip"),
];

fn lookup(table: &[(&str, &'static str)], extension: &str) -> Option<&'static str> {
    let found = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    found.map(|(_, media_type)| *media_type)
}

impl MediaType {
    /// Returns the media type of the file at `path` with the content `bytes`.
    ///
    /// A `text/*` type has a charset if the bytes are UTF-8, because clients assume another
    /// charset without one (Python's `requests` assumes Latin-1). A file with an unknown
    /// extension is plain text if the bytes are UTF-8 without a NUL, else
    /// `application/octet-stream`.
    pub fn of_file(path: &str, bytes: &[u8]) -> Self {
        let file = path.rsplit('/').next().unwrap_or(path);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        if let Some(binary) = lookup(&BINARY, extension) {
            return Self(binary.to_owned());
        }
        let utf8 = std::str::from_utf8(bytes).is_ok();
        let media_type = match lookup(&TEXT, extension) {
            Some(known) => known,
            None if utf8 && !bytes.contains(&0) => "text/plain",
            None => "application/octet-stream",
        };
        let charset = if utf8 && media_type.starts_with("text/") { "; charset=utf-8" } else { "" };
        Self(format!("{media_type}{charset}"))
    }

    /// Returns the media type as the value of a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error of a text that is not a media type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaTypeError;

impl fmt::Display for MediaTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a media type of at most 127 printable ASCII characters, such as text/markdown",
        )
    }
}

impl std::error::Error for MediaTypeError {}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let essence = text.split(';').next().unwrap_or("").trim_end();
        let token = |part: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
            !part.is_empty() && part.bytes().all(plain)
        };
        let named = essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub));
        let printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        if named && printable && text.len() <= 127 {
            return Ok(Self(text.to_owned()));
        }
        Err(MediaTypeError)
    }
}

crate::text::stored_as_text!(MediaType, MediaTypeError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_file_decides_by_extension_and_bytes() {
        for (path, bytes, expected) in [
            ("prompts/a.md", "é".as_bytes(), "text/markdown; charset=utf-8"),
            ("prompts/a.md", b"\xe9", "text/markdown"),
            ("a.json", b"{}", "application/json"),
            ("a.ts", b"", "text/x-typescript; charset=utf-8"),
            ("dir.json/README", b"hi", "text/plain; charset=utf-8"),
            ("a.blob", b"\0", "application/octet-stream"),
            ("a.PNG", b"text", "image/png"),
            ("", b"", "text/plain; charset=utf-8"),
        ] {
            let media_type = MediaType::of_file(path, bytes);
            assert_eq!(media_type.as_str(), expected, "{path}");
            assert_eq!(expected.parse(), Ok(media_type));
        }
    }

    #[test]
    fn parse_refuses_header_injection() {
        for text in ["", "text", "text/", "/x", "a/b\r\nSet-Cookie: x=1", "a/b; c=\u{e9}", "a b/c"]
        {
            assert!(text.parse::<MediaType>().is_err(), "{text:?}");
        }
    }
}
