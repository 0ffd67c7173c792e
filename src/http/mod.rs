//! Requests and answers as plain values, without a platform.

pub mod access;
pub mod caller;
pub mod catalog;
pub mod conditional;
pub mod cors;
pub mod resolve;
pub mod respond;
pub mod router;

/// The longest path that is looked at, in bytes: a name has 200 at most, a range
/// 256, three times that where every byte is percent-encoded.
pub const MAX_PATH: usize = 1_500;

/// The largest request body that is read, in bytes: a hundred references of the
/// greatest length.
pub const MAX_BODY: usize = 64 << 10;

/// A request, as much of it as an answer depends on.
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The host with its port, as the URL has it.
    pub host: &'a str,
    /// The URL's path, percent-encoded as it came.
    pub path: &'a str,
    /// The URL's query without its `?`, percent-encoded as it came.
    pub query: &'a str,
    /// Looks up a header by its name; several fields of it are joined by `, `.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The body.
    pub payload: Payload,
}

/// A request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// These bytes, not more than [`MAX_BODY`].
    Bytes(Vec<u8>),
    /// More than [`MAX_BODY`] bytes.
    TooLarge,
}

impl Request<'_> {
    /// The value of a parameter of the query, decoded as a form is
    /// (`application/x-www-form-urlencoded`); the first if there are several.
    pub fn parameter(&self, name: &str) -> Option<String> {
        if self.query.is_empty() {
            return None;
        }
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut found = pairs.filter(|(known, _)| decode(known) == name);
        found.next().map(|(_, value)| decode(value))
    }
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// An answer: what the platform has to send.
#[derive(Debug)]
pub struct Answer<B> {
    /// The status code.
    pub status: u16,
    /// The headers, names as they are written in the specifications.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body<B>,
}

/// An answer's body.
#[derive(Debug)]
pub enum Body<B> {
    /// None.
    Empty,
    /// A text that was made here.
    Text(String),
    /// A component's bytes, in the platform's own form.
    Content(B),
}

impl<B> Answer<B> {
    /// An answer without headers.
    pub fn new(status: u16, body: Body<B>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// The same answer with one header more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same answer, which depends on the request's header `name` too.
    #[must_use]
    pub fn varying(mut self, name: &str) -> Self {
        match self.headers.iter_mut().find(|(known, _)| *known == "Vary") {
            Some((_, names)) => *names = format!("{names}, {name}"),
            None => self.headers.push(("Vary", name.to_owned())),
        }
        self
    }

    /// What `HEAD` gets: the same less the body (RFC 9110, section 9.3.2).
    #[must_use]
    pub fn without_body(self) -> Self {
        let length = match &self.body {
            Body::Text(text) => Some(text.len().to_string()),
            Body::Empty | Body::Content(_) => None,
        };
        let bare = Self { body: Body::Empty, ..self };
        match length {
            Some(length) => bare.with("Content-Length", length),
            None => bare,
        }
    }
}

/// Host, path and query of an absolute URL, which is how the runtime gives it.
pub fn split(url: &str) -> (&str, &str, &str) {
    let rest = url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")).unwrap_or(url);
    let rest = rest.split('#').next().unwrap_or(rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    (host, if path.is_empty() { "/" } else { path }, query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_as_in_a_form() {
        let request = Request {
            method: "GET",
            host: "localhost",
            path: "/",
            query: "a=1&key=J%C3%BCrgen+M&key=2&flag&b%3d=x=y",
            header: &|_| None,
            payload: Payload::Bytes(Vec::new()),
        };
        for (name, value) in [("a", "1"), ("key", "J\u{fc}rgen M"), ("flag", ""), ("b=", "x=y")] {
            assert_eq!(request.parameter(name).as_deref(), Some(value));
        }
        assert_eq!(request.parameter("c"), None);
    }

    #[test]
    fn a_url_in_its_parts() {
        for (url, parts) in [
            ("https://a.example:8787/b?c=d#e", ("a.example:8787", "/b", "c=d")),
            ("https://a.example", ("a.example", "/", "")),
            ("https://a.example?x=/y", ("a.example", "/", "x=/y")),
            ("http://a.example/b%3F?c?d", ("a.example", "/b%3F", "c?d")),
        ] {
            assert_eq!(split(url), parts, "{url}");
        }
    }
}
