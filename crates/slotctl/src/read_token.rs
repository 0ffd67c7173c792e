//! Read tokens of the resolver.

use anyhow::{Context as _, Result};
use base64ct::{Base64UrlUnpadded, Encoding};
use catalog::digest::Digest;
use serde_json::{Value, json};

/// The prefix of tokens, by which scanners for leaked secrets recognize them.
const PREFIX: &str = "crt_";

/// A new read token.
pub(crate) struct ReadToken {
    /// The token, for the caller.
    pub(crate) token: String,
    /// Its SHA-256 in hex.
    pub(crate) hash: String,
    /// The value of `READ_TOKENS` for this token alone.
    pub(crate) entry: Value,
}

impl ReadToken {
    /// Creates a token with these scopes.
    ///
    /// # Errors
    ///
    /// If the operating system returns no random bytes.
    pub(crate) fn new(scopes: &[String]) -> Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).context("the operating system returned no random bytes")?;
        let token = format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&random));
        let hash = Digest::of(token.as_bytes()).to_string();
        let entry = json!({ &hash: scopes });
        Ok(Self { token, hash, entry })
    }
}
