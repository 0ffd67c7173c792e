//! Requests and answers as plain values, without a platform.

/// The longest path that is looked at, in bytes. A component's address has 350 at
/// most, three times that where every byte is percent-encoded.
pub const MAX_PATH: usize = 1_100;

/// A request, as much of it as an answer depends on.
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The URL's path, percent-encoded as it came.
    pub path: &'a str,
    /// Looks up a header by its name; several fields of it are joined by `, `.
    pub header: &'a dyn Fn(&str) -> Option<String>,
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
