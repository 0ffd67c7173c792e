//! Cross-origin reads (the Fetch standard's CORS protocol), off by default.

use crate::http::{Answer, Body};

/// The origins whose pages may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// None: no header is sent.
    Off,
    /// Every origin.
    Any,
    /// These.
    Listed(Vec<String>),
}

/// What a page may read of an answer, beside what every page may.
const EXPOSED: &str = "Component-Assignment, Component-Commit, Component-Slot, Component-Stale, \
                       Component-Version, Content-Location, ETag, Repr-Digest, Retry-After, \
                       Script-Version, Script-Version-Tag, Server-Timing";

/// What a page may send.
const ALLOWED: &str = "Authorization, Cloudflare-Workers-Version-Key, Component-Segment, \
                       Component-Version-Key, Component-Version-Override, Content-Type, \
                       If-None-Match";

impl Origins {
    /// Reads `CORS_ORIGINS`: `*`, or origins separated by commas or white space.
    pub fn read(text: &str) -> Self {
        let origins = text.split([',', ' ', '\t', '\n']).map(str::trim).filter(|o| !o.is_empty());
        let origins: Vec<String> = origins.map(str::to_owned).collect();
        match origins.as_slice() {
            [] => Self::Off,
            origins if origins.iter().any(|origin| origin == "*") => Self::Any,
            _ => Self::Listed(origins),
        }
    }

    /// Adds what a page of `origin` needs to read the answer.
    pub fn admit<B>(&self, answer: Answer<B>, origin: Option<&str>) -> Answer<B> {
        let (allow, answer) = match (self, origin) {
            (Self::Off, _) => return answer,
            (Self::Any, _) => ("*", answer),
            (Self::Listed(origins), origin) => {
                let answer = answer.varying("Origin");
                match origin.filter(|origin| origins.iter().any(|listed| listed == origin)) {
                    Some(origin) => (origin, answer),
                    None => return answer,
                }
            }
        };
        answer
            .with("Access-Control-Allow-Origin", allow)
            .with("Access-Control-Expose-Headers", EXPOSED)
    }

    /// The methods of a resource, and for a preflight what a page may send.
    pub fn options<B>(&self, allow: &'static str, preflight: bool) -> Answer<B> {
        let answer = Answer::new(204, Body::Empty).with("Allow", allow);
        if *self == Self::Off || !preflight {
            return answer;
        }
        answer
            .with("Access-Control-Allow-Methods", allow)
            .with("Access-Control-Allow-Headers", ALLOWED)
            .with("Access-Control-Max-Age", "86400")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_any_or_listed() {
        assert_eq!(Origins::read(" "), Origins::Off);
        assert_eq!(Origins::read("*"), Origins::Any);
        let listed = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
        assert_eq!(Origins::read("https://a.example, https://b.example"), Origins::Listed(listed));
    }
}
