//! Authorization: the rights of a caller.

use catalog::access::Grant;
use catalog::digest::Digest;
use catalog::refusal::Refusal;

use crate::config::Config;
use crate::http::Request;
use crate::http::headers::AUTHORIZATION;

/// Determines the rights of the caller: all rights if no tokens are configured.
///
/// # Errors
///
/// 401 without a valid token, 503 if the configured tokens are invalid.
pub fn authorize(config: &Config, request: &Request<'_>) -> Result<Grant, Refusal> {
    if !config.needs_token() {
        return Ok(Grant::All);
    }
    let field = (request.header)(AUTHORIZATION).unwrap_or_default();
    config.access.grant(bearer(&field))
}

/// Returns the SHA-256 of the caller's token, if it is valid.
pub fn token_hash(config: &Config, request: &Request<'_>) -> Option<Digest> {
    let field = (request.header)(AUTHORIZATION)?;
    config.access.token_hash(bearer(&field)?)
}

/// Returns the token of `Bearer <token>` (RFC 6750, section 2.1). The scheme is
/// case-insensitive (RFC 9110, section 11.1).
fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearer_reads_the_token_of_the_scheme() {
        for (field, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("", None),
        ] {
            assert_eq!(bearer(field), token, "{field}");
        }
    }
}
