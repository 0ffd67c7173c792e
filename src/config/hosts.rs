//! `HOST_SLOTS` and `DEFAULT_SLOT`: the slot of a request without a reference.

use catalog::slot::Slot;
use vecmap::VecMap;

use super::raw::Invalid;

/// The slot that each host serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSlots {
    hosts: VecMap<Host, Slot>,
    default: Slot,
}

impl HostSlots {
    /// Creates the slots from the JSON object of `HOST_SLOTS`, if it is set, and the default.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the text is not an object from hosts to slots, or if it gives one host
    /// two slots.
    pub fn read(json: Option<&str>, default: Slot) -> Result<Self, Invalid> {
        let raw: VecMap<String, Slot> = match json.map(str::trim) {
            None | Some("") => VecMap::new(),
            Some(json) => serde_json::from_str(json).map_err(|_| Invalid)?,
        };
        let mut hosts = VecMap::new();
        for (host, slot) in raw {
            let before = hosts.insert(Host::setting(&host)?, slot.clone());
            if before.is_some_and(|before| before != slot) {
                return Err(Invalid);
            }
        }
        Ok(Self { hosts, default })
    }

    /// Returns the slot of the host of a request. An entry with this port takes precedence
    /// over an entry without a port.
    pub fn slot(&self, host: &str) -> &Slot {
        let exact = Host::of(host);
        let any_port = Host { name: exact.name.clone(), port: None };
        self.hosts.get(&exact).or_else(|| self.hosts.get(&any_port)).unwrap_or(&self.default)
    }

    /// Returns the different slots, the default first.
    pub fn all(&self) -> Vec<Slot> {
        let mut all = vec![self.default.clone()];
        for slot in self.hosts.values() {
            if !all.contains(slot) {
                all.push(slot.clone());
            }
        }
        all
    }
}

/// A host in one spelling: in lower case, without the trailing dot of the DNS root and without
/// the default ports of http and https.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    port: Option<String>,
}

impl Host {
    fn of(text: &str) -> Self {
        let (name, port) = match text.rsplit_once(':') {
            // A colon in brackets is part of an IPv6 address.
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (text, None),
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let port = port.filter(|port| !["80", "443"].contains(port));
        Self { name, port: port.map(str::to_owned) }
    }

    /// Reads a key of `HOST_SLOTS`. A text that no request can have as its host is invalid.
    fn setting(text: &str) -> Result<Self, Invalid> {
        let host = Self::of(text);
        let address = host.name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let valid = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.name.split('.').all(is_label),
        };
        let port = host.port.as_ref().is_none_or(|port| port.parse::<u16>().is_ok());
        (valid && port).then_some(host).ok_or(Invalid)
    }
}

/// Tells if the text is a label of a domain name (RFC 1035, section 2.3.1; with the underscore
/// that some names have). Names in other scripts have their ASCII form (`xn--...`) in a request.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<HostSlots, Invalid> {
        HostSlots::read(Some(json), "live".parse().unwrap())
    }

    #[track_caller]
    fn check(json: &str, hosts: &[(&str, &str)]) {
        let slots = read(json).unwrap();
        for (host, slot) in hosts {
            assert_eq!(slots.slot(host).as_str(), *slot, "{host}");
        }
    }

    #[test]
    fn hosts_select_slots() {
        check(
            r#"{"green.example.com":"green","localhost:8787":"staging","[::1]":"six"}"#,
            &[
                ("green.example.com", "green"),
                ("GREEN.example.com:443", "green"),
                ("green.example.com.", "green"),
                ("green.example.com:8443", "green"),
                ("localhost:8787", "staging"),
                ("localhost", "live"),
                ("[::1]", "six"),
                ("[::1]:8787", "six"),
                ("", "live"),
            ],
        );
    }

    #[test]
    fn keys_are_normalized() {
        for key in ["Green.Example.com", "green.example.com.", "green.example.com:443"] {
            check(&format!("{{\"{key}\":\"green\"}}"), &[("green.example.com", "green")]);
        }
        check(r#"{"a.example":"green","A.example.":"green"}"#, &[("a.example", "green")]);
    }

    #[test]
    fn keys_that_no_request_matches_are_invalid() {
        for key in [
            "",
            ".",
            "https://green.example.com",
            "green.example.com/",
            "*.example.com",
            "gr\u{fc}n.example.com",
            " green.example.com",
            "green.example.com:",
            "green.example.com:port",
            "green..example.com",
            "::1",
            "[::x]",
        ] {
            assert_eq!(read(&format!("{{\"{key}\":\"green\"}}")), Err(Invalid), "{key}");
        }
        assert_eq!(read(r#"{"a.example":"green","A.example":"blue"}"#), Err(Invalid));
        for json in ["null", "[]", "1", "{", r#"{"a":"v1"}"#, r#"{"a":1}"#] {
            assert_eq!(read(json), Err(Invalid), "{json}");
        }
    }
}
