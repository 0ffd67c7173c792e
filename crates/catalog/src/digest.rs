//! SHA-256 digests, which name contents.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::grammar::{Grammar, GrammarError};

/// A content's SHA-256 digest, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The prefix of a reference by digest.
    pub const SCHEME: &str = "sha256:";

    /// Computes the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Creates a digest from 32 bytes that another SHA-256 implementation computed.
    pub fn from_raw(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub fn as_raw(&self) -> &[u8] {
        &self.0
    }

    /// Compares in constant time, so the time does not show where the two differ.
    pub fn constant_time_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Returns the value of `Repr-Digest` (RFC 9530): `sha-256=:<base64>:`.
    pub fn repr_digest(&self) -> String {
        format!("sha-256=:{}:", Base64::encode_string(&self.0))
    }
}

impl FromStr for Digest {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |at, why| GrammarError { grammar: Grammar::Digest, at, why };
        if text.len() != 64 {
            return Err(fail(text.len().min(64), "64 hexadecimal digits are needed"));
        }
        let mut bytes = [0; 32];
        base16ct::mixed::decode(text, &mut bytes).map_err(|_| {
            let at = text.bytes().position(|byte| !byte.is_ascii_hexdigit());
            fail(at.unwrap_or_default(), "not a hexadecimal digit")
        })?;
        Ok(Self(bytes))
    }
}

crate::text::stored_as_text!(Digest, GrammarError);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{self}", Self::SCHEME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digests_are_written_in_lower_case() {
        let digest: Digest = EMPTY.to_uppercase().parse().unwrap();
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(digest, Digest::of(b""));
        assert_eq!(digest.repr_digest(), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    }

    #[test]
    fn errors_have_the_position_of_the_mistake() {
        for (text, at) in [("", 0), ("abc", 3), (&EMPTY.replace('7', "g"), 33)] {
            assert_eq!(text.parse::<Digest>().unwrap_err().at, at, "{text}");
        }
        assert!("\u{fc}".repeat(32).parse::<Digest>().is_err());
    }
}
