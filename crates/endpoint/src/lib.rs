//! Addresses of HTTP services, and the one rule about which of them may receive a secret.
//!
//! In scope: the address of a resolver, of the API of Cloudflare and of `wrangler dev`, as a user
//! writes it. The host is taken from the parser that the HTTP client uses too, so that both
//! mean the same machine.
//!
//! Out of scope: connections, redirects (both clients follow none), the secrets themselves.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;

use http::Uri;

/// The address of a service: scheme, host, port, and a path without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    uri: Uri,
}

impl Endpoint {
    /// Returns the address if a secret may be sent to it: `https`, or `http` to this machine.
    ///
    /// # Errors
    ///
    /// [`Unencrypted`] if a secret would be sent unencrypted.
    pub fn for_secrets(&self) -> Result<&Self, Unencrypted> {
        match self.uri.scheme_str() {
            Some("https") => Ok(self),
            _ if self.is_loopback() => Ok(self),
            _ => Err(Unencrypted(self.text.clone())),
        }
    }

    /// Tells if the address is one of this machine: `localhost`, 127.0.0.0/8 (RFC 1122, section
    /// 3.2.1.3) or `[::1]` (RFC 4291, section 2.5.3). A proxy must not be used for it.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.uri.host().unwrap_or_default())
    }

    /// Returns the address as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Parses an address. Without a scheme it is `http` for this machine and `https` for others.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = match text.contains("://") {
            true => text.to_owned(),
            false => with_scheme(text).ok_or(EndpointError)?,
        };
        let text = text.trim_end_matches('/').to_owned();
        let uri: Uri = text.parse().map_err(|_| EndpointError)?;
        // `Uri` drops a fragment, and a path behind it would be dropped with it.
        match is_service(&uri) && !text.contains('#') {
            true => Ok(Self { text, uri }),
            false => Err(EndpointError),
        }
    }
}

fn with_scheme(text: &str) -> Option<String> {
    let uri: Uri = format!("https://{text}").parse().ok()?;
    let scheme = if is_loopback(uri.host()?) { "http" } else { "https" };
    Some(format!("{scheme}://{text}"))
}

/// Tells if a URI is the address of a service. User information (`https://name:password@host`)
/// is refused: it is a secret, and hides the host from the reader.
fn is_service(uri: &Uri) -> bool {
    let host = uri.host().is_some_and(|host| !host.is_empty());
    let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    host && !user && uri.query().is_none() && matches!(uri.scheme_str(), Some("http" | "https"))
}

/// Tells if a host is this machine. The address is parsed: `127.evil.example` is a name.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The error of a text that is not the address of a service. It does not repeat the text, which
/// may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointError;

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an address of the form https://HOST, https://HOST:PORT or http://localhost:PORT, \
             without user, query and fragment",
        )
    }
}

impl std::error::Error for EndpointError {}

/// The error of an address to which a secret would be sent unencrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unencrypted(String);

impl fmt::Display for Unencrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(address) = self;
        write!(
            f,
            "{address} is not https, so the token would be sent unencrypted; use https (http is \
             for this machine only: localhost, 127.0.0.0/8, [::1])"
        )
    }
}

impl std::error::Error for Unencrypted {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Endpoint {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_without_a_scheme_is_https_except_on_this_machine() {
        for (text, whole) in [
            ("components.example.com", "https://components.example.com"),
            ("components.example.com:8443/base/", "https://components.example.com:8443/base"),
            ("127.evil.example", "https://127.evil.example"),
            ("127.0.0.1.evil.example", "https://127.0.0.1.evil.example"),
            ("localhost.evil.example:80", "https://localhost.evil.example:80"),
            ("10.0.0.1:8787", "https://10.0.0.1:8787"),
            ("localhost:8787", "http://localhost:8787"),
            ("127.0.0.1:8787", "http://127.0.0.1:8787"),
            ("[::1]:8787", "http://[::1]:8787"),
            ("http://components.example.com/", "http://components.example.com"),
        ] {
            assert_eq!(parse(text).as_str(), whole);
        }
    }

    #[test]
    fn secrets_go_to_https_and_to_this_machine_only() {
        for (text, allowed) in [
            ("https://components.example.com", true),
            ("https://10.0.0.1", true),
            ("HTTPS://components.example.com", true),
            ("http://localhost", true),
            ("http://LOCALHOST:8787/base", true),
            ("http://127.0.0.1", true),
            ("http://127.255.1.2:80", true),
            ("http://[::1]:8787", true),
            ("http://components.example.com", false),
            ("http://127.evil.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://evil.localhost", false),
            ("http://localhost.", false),
            ("http://0.0.0.0", false),
            ("http://128.0.0.1", false),
            ("http://[::2]", false),
            // Resolvers read these as 127.0.0.1; what is not parsed as an address is a name.
            ("http://127.1", false),
            ("http://2130706433", false),
            ("http://0x7f.0.0.1", false),
        ] {
            assert_eq!(parse(text).for_secrets().is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_without_being_repeated() {
        for text in [
            "",
            "/",
            "https://",
            "https:///path",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://name:s3cret@example.com",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1:80@evil.example",
            "https://example.com?key=s3cret",
            "https://example.com#s3cret",
            "https://exa mple.com",
            "http://[::1",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{text}: {error}");
        }
    }

    #[test]
    fn the_refusal_names_the_address_and_the_remedy() {
        let endpoint = parse("http://components.example.com");
        let refused = endpoint.for_secrets().unwrap_err().to_string();
        assert!(refused.starts_with("http://components.example.com is not https"), "{refused}");
    }
}
