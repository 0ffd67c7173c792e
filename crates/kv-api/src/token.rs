//! The API token, which is never shown.

use std::fmt;

use ureq::http::HeaderValue;

/// A Cloudflare API token. `Debug` and errors show only that a token exists.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Creates a token from the text of an environment variable. Returns `None` if the text
    /// cannot be a token.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).ok().filter(|_| plain)?;
        header.set_sensitive(true);
        Some(Self(header))
    }

    /// Returns the value of `Authorization`.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_redacted_in_debug_output() {
        let token = Token::new(" s3cret\n").unwrap();
        assert_eq!(format!("{token:?} {:?}", token.header()), "Token(redacted) Sensitive");
        assert_eq!(token.header().to_str().unwrap(), "Bearer s3cret");
        for text in ["", " ", "two words", "a\nb", "gr\u{fc}n"] {
            assert!(Token::new(text).is_none(), "{text:?}");
        }
    }
}
