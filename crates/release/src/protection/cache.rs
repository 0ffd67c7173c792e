//! Caching (RFC 9111), also by the fields that only a CDN reads (RFC 9213).

use std::collections::BTreeMap;

use super::AnswerHead;

/// The fields by which a cache decides, each with precedence over the ones after it.
const FIELDS: [&str; 3] = ["cloudflare-cdn-cache-control", "cdn-cache-control", "cache-control"];

/// Returns the name of a field by which a cache may keep more of the new answer, or for longer.
pub(super) fn looser(new: &AnswerHead, old: &AnswerHead) -> Option<&'static str> {
    let at = |head: &AnswerHead, from: usize| {
        let mut fields = FIELDS.iter().skip(from);
        CacheControl::parse(fields.find_map(|name| head.get(name)).unwrap_or_default())
    };
    // The field that all caches read comes first in a report.
    let fields = FIELDS.iter().enumerate().rev();
    let mut looser = fields.filter(|(from, _)| at(new, *from).is_looser_than(&at(old, *from)));
    looser.next().map(|(_, name)| *name)
}

/// The directives of `Cache-Control`, by name in lower case.
struct CacheControl(BTreeMap<String, String>);

impl CacheControl {
    fn parse(field: &str) -> Self {
        let directives = field.split(',').map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned())
        });
        Self(directives.filter(|(name, _)| !name.is_empty()).collect())
    }

    fn is_looser_than(&self, old: &Self) -> bool {
        let new = self;
        if new.has("no-store") || new.0 == old.0 {
            return false;
        }
        old.has("no-store")
            || old.has("private") && !new.has("private")
            || new.is_shared() && !old.is_shared()
            || new.drops_revalidation(old)
            || new.stays_longer_than(old)
    }

    /// Tells if a directive is present and limits the whole answer: `private="field"` and
    /// `no-cache="field"` limit one header only.
    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(String::is_empty)
    }

    /// Tells if a shared cache may keep the answer to a request with a token (RFC 9111, section
    /// 3.5). `must-revalidate` allows it too, but is not counted: it limits more than it allows.
    fn is_shared(&self) -> bool {
        !self.has("private") && (self.has("public") || self.0.contains_key("s-maxage"))
    }

    fn drops_revalidation(&self, old: &Self) -> bool {
        let kept = |name| self.has(name) || self.has("no-cache");
        let shared = kept("must-revalidate") || kept("proxy-revalidate") || self.has("private");
        old.has("no-cache") && !self.has("no-cache")
            || old.has("must-revalidate") && !kept("must-revalidate")
            || old.has("proxy-revalidate") && !shared
    }

    /// Tells if the answer may be used for longer without another request.
    fn stays_longer_than(&self, old: &Self) -> bool {
        if self.has("no-cache") {
            return false;
        }
        let stale = ["stale-while-revalidate", "stale-if-error"];
        self.fresh(u64::MAX) > old.fresh(0)
            || self.shared(u64::MAX) > old.shared(0)
            || stale.iter().any(|name| self.extra(name, u64::MAX) > old.extra(name, 0))
            || self.has("immutable") && !old.has("immutable")
    }

    /// Returns the time for which a shared cache may use the answer: `s-maxage`, else `max-age`
    /// (RFC 9111, section 5.2.2.10). A private answer is in no shared cache.
    fn shared(&self, unreadable: u64) -> u64 {
        match (self.has("private"), self.0.contains_key("s-maxage")) {
            (true, _) => 0,
            (false, true) => self.seconds("s-maxage", unreadable),
            (false, false) => self.fresh(unreadable),
        }
    }

    /// Returns `max-age`. Without it, a cache chooses a time (RFC 9111, section 4.2.2).
    fn fresh(&self, unreadable: u64) -> u64 {
        if self.0.contains_key("max-age") { self.seconds("max-age", unreadable) } else { u64::MAX }
    }

    /// Returns a time after which the answer may be used that is 0 by default.
    fn extra(&self, name: &str, unreadable: u64) -> u64 {
        if self.0.contains_key(name) { self.seconds(name, unreadable) } else { 0 }
    }

    /// Returns the seconds of a directive. In doubt the new answer is kept longer.
    fn seconds(&self, name: &str, unreadable: u64) -> u64 {
        self.0.get(name).and_then(|text| text.parse().ok()).unwrap_or(unreadable)
    }
}
