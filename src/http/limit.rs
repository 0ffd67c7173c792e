//! The rate limit of callers.

use std::net::Ipv6Addr;

use catalog::refusal::Refusal;

use crate::config::Config;
use crate::http::headers::CLIENT_ADDRESS;
use crate::http::{Request, access};
use crate::resolve::backend::Backend;
use crate::resolve::reader::Reader;

/// Counts a request `count` times against the limit of its caller.
///
/// # Errors
///
/// 429 if the limit is exceeded.
pub(crate) async fn admit<B: Backend>(
    config: &Config,
    reader: &Reader<B>,
    request: &Request<'_>,
    count: usize,
) -> Result<(), Refusal> {
    if count == 0 || !reader.backend.has_limit() {
        return Ok(());
    }
    let admitted = reader.backend.admits(&key(config, request), count as u32).await;
    if admitted { Ok(()) } else { Err(Refusal::RateLimited) }
}

/// Returns the key under which a caller is counted: its valid token, else its address. A wrong
/// token is no key, or each guess would have a limit of its own.
fn key(config: &Config, request: &Request<'_>) -> String {
    match access::token_hash(config, request) {
        Some(hash) => format!("token:{hash}"),
        None => {
            let address = (request.header)(CLIENT_ADDRESS).unwrap_or_default();
            format!("address:{}", network(address.trim()))
        }
    }
}

/// Returns an IPv4 address as it is, and the network of an IPv6 address: a client usually has
/// all addresses of a /64 (RFC 6177).
fn network(address: &str) -> String {
    let Ok(parsed) = address.parse::<Ipv6Addr>() else { return address.to_owned() };
    if let Some(mapped) = parsed.to_ipv4_mapped() {
        return mapped.to_string();
    }
    let [first, second, third, fourth, ..] = parsed.segments();
    format!("{first:x}:{second:x}:{third:x}:{fourth:x}::/64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        for (address, counted) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("2001:DB8:1:3::9", "2001:db8:1:3::/64"),
            ("", ""),
        ] {
            assert_eq!(network(address), counted, "{address}");
        }
    }
}
