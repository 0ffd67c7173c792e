//! HTTP requests and responses as plain values, without a platform. Each file is named
//! after the resource that it answers.

pub mod access;
pub mod caller;
pub(crate) mod catalog;
pub(crate) mod components;
pub mod conditional;
pub mod cors;
pub mod headers;
pub(crate) mod limit;
pub mod payload;
pub(crate) mod resolve;
pub(crate) mod respond;
pub mod router;
pub(crate) mod status;

use ::catalog::access::Grant;

use crate::config::Config;
use crate::resolve::backend::Backend;
use crate::resolve::reader::Reader;

pub use self::payload::{MAX_BODY, NO_BODY, Payload, RequestBody};

/// The longest path that is parsed, in bytes: a name has at most 200 bytes, a range 256, and
/// percent-encoding triples each byte.
pub const MAX_PATH: usize = 1_500;

/// A request, as far as a response depends on it.
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The host of the URL, with its port.
    pub host: &'a str,
    /// The path of the URL, as it was percent-encoded.
    pub path: &'a str,
    /// The query of the URL without its `?`, as it was percent-encoded.
    pub query: &'a str,
    /// Looks up a header by its name; several fields are joined by `, `.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The body, which is read only if the request is otherwise acceptable.
    pub body: &'a dyn RequestBody,
}

/// The data from which a handler answers.
pub(crate) struct HandlerContext<'a, B: Backend> {
    pub(crate) config: &'a Config,
    pub(crate) reader: &'a Reader<B>,
    pub(crate) request: &'a Request<'a>,
    /// The rights of the caller.
    pub(crate) grant: Grant,
}

impl Request<'_> {
    /// Returns the value of a query parameter, decoded as a form
    /// (`application/x-www-form-urlencoded`). If there are several, the first one counts.
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

/// A response for the platform to send.
#[derive(Debug)]
pub struct Response<B> {
    /// The status code.
    pub status: u16,
    /// The headers, with their names as the specifications spell them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body<B>,
}

/// The body of a response.
#[derive(Debug)]
pub enum Body<B> {
    /// No body.
    Empty,
    /// Text that the Worker has written.
    Text(String),
    /// The bytes of a component, in the form of the platform.
    Content(B),
    /// JSON with the bytes of components in it.
    Json(Vec<JsonPart<B>>),
}

/// A part of a JSON text. The bytes of components stay in the form of the platform, so that they
/// take up no memory here.
#[derive(Debug)]
pub enum JsonPart<B> {
    /// Text that the Worker has written.
    Text(String),
    /// A content as a member of an object: `"content"` with its text, or `"contentBase64"` if it
    /// is not UTF-8.
    Content(B),
}

impl<B> Response<B> {
    /// Creates a response without headers.
    pub fn new(status: u16, body: Body<B>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a name to `Vary`: the response also depends on this header of the request.
    #[must_use]
    pub fn varying(mut self, name: &str) -> Self {
        match self.headers.iter_mut().find(|(known, _)| *known == "Vary") {
            Some((_, names)) => *names = format!("{names}, {name}"),
            None => self.headers.push(("Vary", name.to_owned())),
        }
        self
    }

    /// Turns the response into a response to `HEAD`: the same without the body (RFC 9110,
    /// section 9.3.2).
    #[must_use]
    pub fn without_body(self) -> Self {
        let length = match &self.body {
            Body::Text(text) => Some(text.len().to_string()),
            Body::Empty | Body::Content(_) | Body::Json(_) => None,
        };
        let bare = Self { body: Body::Empty, ..self };
        match length {
            Some(length) => bare.with("Content-Length", length),
            None => bare,
        }
    }
}

/// Splits an absolute URL into host, path and query.
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
    fn parameters_are_decoded_as_a_form() {
        let request = Request {
            method: "GET",
            host: "localhost",
            path: "/",
            query: "a=1&key=J%C3%BCrgen+M&key=2&flag&b%3d=x=y",
            header: &|_| None,
            body: &NO_BODY,
        };
        for (name, value) in [("a", "1"), ("key", "J\u{fc}rgen M"), ("flag", ""), ("b=", "x=y")] {
            assert_eq!(request.parameter(name).as_deref(), Some(value));
        }
        assert_eq!(request.parameter("c"), None);
    }

    #[test]
    fn split_returns_host_path_and_query() {
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
