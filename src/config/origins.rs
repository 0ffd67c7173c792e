//! `CORS_ORIGINS`: the origins whose pages may read responses.

use super::raw::Invalid;

/// The origins whose pages may read responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// No origin: no CORS header is sent.
    Off,
    /// Every origin.
    Any,
    /// These origins, as browsers write them.
    Listed(Vec<String>),
}

impl Origins {
    /// Reads the origins of a list: `*`, or origins like `https://app.example.com`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if one of them is not an origin: it would never match.
    pub fn read(list: &[String]) -> Result<Self, Invalid> {
        if list.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        let origins: Vec<String> = list
            .iter()
            .map(|origin| normalized(origin).ok_or(Invalid))
            .collect::<Result<_, _>>()?;
        Ok(if origins.is_empty() { Self::Off } else { Self::Listed(origins) })
    }
}

/// Returns an origin as a browser writes it in `Origin` (RFC 6454, section 6.2): in lower
/// case, without a trailing slash and without the default port of the scheme.
fn normalized(text: &str) -> Option<String> {
    let origin = text.trim().to_ascii_lowercase();
    let (scheme, host) = origin.split_once("://")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(default).unwrap_or(host);
    let schemed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    // No path, query, user name, wildcard, or letter that a browser writes otherwise.
    let hosted = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
        && !host.ends_with(':');
    (schemed && hosted).then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[&str]) -> Result<Origins, Invalid> {
        let list: Vec<String> = list.iter().map(|&origin| origin.to_owned()).collect();
        Origins::read(&list)
    }

    #[test]
    fn origins_are_off_any_or_listed() {
        assert_eq!(read(&[]), Ok(Origins::Off));
        assert_eq!(read(&["*"]), Ok(Origins::Any));
        assert_eq!(read(&["https://a.example", "*"]), Ok(Origins::Any));
        let listed = vec!["https://a.example".to_owned(), "http://localhost:3000".to_owned()];
        assert_eq!(
            read(&["https://a.example", "http://localhost:3000"]),
            Ok(Origins::Listed(listed))
        );
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, origin) in [
            ("https://a.example/", "https://a.example"),
            ("HTTPS://A.Example", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("http://a.example:80/", "http://a.example"),
            ("https://a.example:80", "https://a.example:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(read(&[text]), Ok(Origins::Listed(vec![origin.to_owned()])), "{text}");
        }
    }

    #[test]
    fn texts_that_no_browser_sends_are_invalid() {
        for text in [
            "",
            "a.example",
            "null",
            "https://",
            "https://a.example/path",
            "https://a.example//",
            "https://a.example?x",
            "https://user@a.example",
            "https://*.example.com",
            "https://gr\u{fc}n.example",
            "https://a.example:",
            "1://a.example",
        ] {
            assert_eq!(read(&[text]), Err(Invalid), "{text}");
        }
    }
}
