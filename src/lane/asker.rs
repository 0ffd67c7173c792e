//! The askers of the fast lane: HTTP requests and calls over a service binding.

use catalog::assign::Caller;
use catalog::digest::Digest;
use catalog::record::SlotRecord;

use crate::config::{Config, Origins};
use crate::http::headers::ORIGIN;
use crate::http::{Request, caller, conditional};

/// The methods whose responses the lane remembers.
pub const METHODS: [&str; 2] = ["GET", "HEAD"];

/// The properties of a request, besides its URL, that decide how it is answered.
pub trait Asker {
    /// Returns the method.
    fn method(&self) -> &str;

    /// Tells if the answer depends only on properties that the lane knows.
    fn is_usual(&self) -> bool;

    /// Returns the caller, as far as this slot depends on it.
    fn caller(&self, slot: &SlotRecord) -> Caller;

    /// Tells if the asker already has this content.
    fn has(&self, digest: &Digest) -> bool;
}

/// An HTTP request.
pub struct RequestAsker<'a> {
    /// The settings, which say if tokens or CORS are on.
    pub config: &'a Config,
    /// The request.
    pub request: &'a Request<'a>,
}

impl Asker for RequestAsker<'_> {
    fn method(&self) -> &str {
        self.request.method
    }

    fn is_usual(&self) -> bool {
        METHODS.contains(&self.request.method)
            && self.request.query.is_empty()
            && !self.config.needs_token()
            && (self.config.origins == Ok(Origins::Off) || (self.request.header)(ORIGIN).is_none())
    }

    fn caller(&self, slot: &SlotRecord) -> Caller {
        caller::of_slot(self.request, slot)
    }

    fn has(&self, digest: &Digest) -> bool {
        conditional::has_current(self.request, digest)
    }
}

/// A call over a service binding: it needs no token, and always wants the content.
impl Asker for Caller {
    fn method(&self) -> &'static str {
        "GET"
    }

    fn is_usual(&self) -> bool {
        true
    }

    fn caller(&self, _: &SlotRecord) -> Caller {
        self.clone()
    }

    fn has(&self, _: &Digest) -> bool {
        false
    }
}
