//! The rights of read tokens: scopes over types, names and slots.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use vecmap::VecMap;

use crate::digest::Digest;
use crate::name::ComponentName;
use crate::reference::Reference;
use crate::refusal::Refusal;
use crate::slot::Slot;

/// `<names>[@<slot>][+history]`: `*`, `prompts/*`, `prompts/extraction`, each for every
/// reference or, with `@production`, for that slot alone. With `+history`, also for who
/// changed what, when and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    names: Names,
    slot: Option<Slot>,
    history: bool,
}

/// The end of a scope that includes the history.
const HISTORY: &str = "+history";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    All,
    /// Every name that begins with `prompts/`, or with `templates/emails/`.
    Below(String),
    One(ComponentName),
}

impl Scope {
    fn covers(&self, name: &ComponentName) -> bool {
        match &self.names {
            Names::All => true,
            Names::Below(folder) => name.as_str().starts_with(folder.as_str()),
            Names::One(one) => one == name,
        }
    }

    fn covers_slot(&self, name: &ComponentName, slot: &Slot) -> bool {
        self.covers(name) && self.slot.as_ref().is_none_or(|limit| limit == slot)
    }
}

/// The error of a text that is not a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeError;

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a scope is '*', '<type>/*' or '<type>/<name>', then '@<slot>' for one slot, then \
             '+history' for who changed it and why",
        )
    }
}

impl std::error::Error for ScopeError {}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let (text, history) = match text.strip_suffix(HISTORY) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (names, slot) = match text.split_once('@') {
            Some((names, slot)) => (names, Some(slot.parse().map_err(|_| ScopeError)?)),
            None => (text, None),
        };
        let names = match names.strip_suffix('*') {
            Some("") => Names::All,
            // The text is a folder if a name can follow it.
            Some(folder) if format!("{folder}a").parse::<ComponentName>().is_ok() => {
                Names::Below(folder.ends_with('/').then(|| folder.to_owned()).ok_or(ScopeError)?)
            }
            Some(_) => return Err(ScopeError),
            None => Names::One(names.parse().map_err(|_| ScopeError)?),
        };
        Ok(Self { names, slot, history })
    }
}

/// The rights of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Everything.
    All,
    /// Everything that one of these scopes covers.
    Scopes(Vec<Scope>),
}

impl Grant {
    /// Returns the scopes for the component; `None` means all rights.
    fn scopes(&self, name: &ComponentName) -> Option<impl Iterator<Item = &Scope>> {
        match self {
            Self::All => None,
            Self::Scopes(scopes) => Some(scopes.iter().filter(|scope| scope.covers(name))),
        }
    }

    /// Tells if a scope names the component. Whether the caller may see it can then depend on
    /// the slots that it has: see [`Self::sees`].
    pub fn covers(&self, name: &ComponentName) -> bool {
        self.scopes(name).is_none_or(|mut scopes| scopes.next().is_some())
    }

    /// Tells if the caller may see a component with these slots: all of it, or one of the slots.
    /// Otherwise the component is treated as nonexistent.
    pub fn sees<'a>(
        &self,
        name: &ComponentName,
        slots: impl IntoIterator<Item = &'a Slot>,
    ) -> bool {
        self.sees_versions(name) || slots.into_iter().any(|slot| self.sees_slot(name, slot))
    }

    /// Tells if the component may be read through this slot.
    pub fn sees_slot(&self, name: &ComponentName, slot: &Slot) -> bool {
        self.scopes(name).is_none_or(|mut scopes| scopes.any(|scope| scope.covers_slot(name, slot)))
    }

    /// Tells if every version of the component may be read, not only those of slots.
    pub fn sees_versions(&self, name: &ComponentName) -> bool {
        self.scopes(name).is_none_or(|mut scopes| scopes.any(|scope| scope.slot.is_none()))
    }

    /// Tells if the caller may see who changed this slot, when and why.
    pub fn sees_history(&self, name: &ComponentName, slot: &Slot) -> bool {
        let shows = |scope: &Scope| scope.history && scope.covers_slot(name, slot);
        self.scopes(name).is_none_or(|mut scopes| scopes.any(shows))
    }

    /// Tells if the caller may see the authors of all versions of the component.
    pub fn sees_authors(&self, name: &ComponentName) -> bool {
        let shows = |scope: &Scope| scope.history && scope.slot.is_none();
        self.scopes(name).is_none_or(|mut scopes| scopes.any(shows))
    }

    /// Tells if the component may be read by this reference.
    pub fn allows(&self, name: &ComponentName, reference: &Reference) -> bool {
        match reference {
            Reference::Slot(slot) => self.sees_slot(name, slot),
            _ => self.sees_versions(name),
        }
    }

    /// Removes from a refusal everything that may not be seen. If nothing of the component may
    /// be seen, the refusal is that of a component that does not exist.
    #[must_use]
    pub fn cut_down(&self, mut refusal: Refusal) -> Refusal {
        let Some((name, existing)) = refusal.existing_mut() else { return refusal };
        if !self.sees(name, &existing.slots) {
            return Refusal::ComponentUnknown(name.clone(), None);
        }
        existing.slots.retain(|slot| self.sees_slot(name, slot));
        if !self.sees_versions(name) {
            existing.versions.clear();
        }
        refusal
    }
}

/// The `READ_TOKENS` secret: the SHA-256 of a token → its scopes.
///
/// `{"9f86d081…": ["prompts/*@production", "schemas/*"]}`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadTokens(Vec<(Digest, Grant)>);

/// The error of an invalid `READ_TOKENS` secret. It never quotes the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTokensError(String);

impl fmt::Display for ReadTokensError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "READ_TOKENS is not a JSON object from SHA-256 to a list of scopes: {}", self.0)
    }
}

impl std::error::Error for ReadTokensError {}

impl FromStr for ReadTokens {
    type Err = ReadTokensError;

    fn from_str(text: &str) -> Result<Self, ReadTokensError> {
        #[derive(Deserialize)]
        struct Raw(VecMap<String, Vec<String>>);
        let fail = |why: &str| ReadTokensError(why.to_owned());
        let Raw(raw) = serde_json::from_str(text).map_err(|_| fail("the JSON does not parse"))?;
        let mut tokens = Vec::new();
        for (hash, scopes) in raw {
            let hash = hash.parse().map_err(|_| fail("a key is not 64 hexadecimal digits"))?;
            let scopes: Result<_, ScopeError> = scopes.iter().map(|text| text.parse()).collect();
            tokens.push((hash, Grant::Scopes(scopes.map_err(|error| fail(&error.to_string()))?)));
        }
        Ok(Self(tokens))
    }
}

impl ReadTokens {
    /// Returns the rights of `token`, or `None` for an unknown token.
    pub fn grant(&self, token: &str) -> Option<&Grant> {
        self.find(token).map(|(_, grant)| grant)
    }

    /// Returns the SHA-256 of `token`, or `None` for an unknown token.
    pub fn hash(&self, token: &str) -> Option<&Digest> {
        self.find(token).map(|(hash, _)| hash)
    }

    /// Every entry is compared in constant time, so the time does not depend on the hashes.
    fn find(&self, token: &str) -> Option<&(Digest, Grant)> {
        let presented = Digest::of(token.as_bytes());
        let mut found = None;
        for entry in &self.0 {
            if entry.0.constant_time_eq(&presented) {
                found = Some(entry);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::existing::Existing;

    fn name(text: &str) -> ComponentName {
        text.parse().unwrap()
    }

    fn grant(scopes: &[&str]) -> Grant {
        Grant::Scopes(scopes.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[track_caller]
    fn check(scopes: &[&str], allowed: &[&str], refused: &[&str]) {
        let grant = grant(scopes);
        for (addresses, expected) in [(allowed, true), (refused, false)] {
            for address in addresses {
                let (component, reference) = address.split_once('@').unwrap();
                let reference = reference.parse().unwrap();
                assert_eq!(grant.allows(&name(component), &reference), expected, "{address}");
            }
        }
    }

    #[test]
    fn allows_follows_types_names_and_slots() {
        check(&["*"], &["a/b@production", "a/b@v1.0.0", "a/b@^1"], &[]);
        check(
            &["prompts/*@production", "schemas/order"],
            &["prompts/a@production", "prompts/x/y@production", "schemas/order@^1"],
            &["prompts/a@staging", "prompts/a@v1.0.0", "prompts/a@^1", "schemas/other@production"],
        );
        check(&["*@canary"], &["a/b@canary"], &["a/b@production", "a/b@v1.0.0"]);
        check(&["templates/emails/*"], &["templates/emails/a@^1"], &["templates/emailsx@^1"]);
        check(&[], &[], &["a/b@production"]);
    }

    #[test]
    fn a_scope_with_a_slot_shows_neither_other_slots_nor_versions() {
        let slot = |text: &str| text.parse::<Slot>().unwrap();
        for (scopes, sees, production, canary, versions) in [
            (&["prompts/*@production"][..], true, true, false, false),
            (&["prompts/*@production", "*@canary"], true, true, true, false),
            (&["prompts/a"], true, true, true, true),
            (&["schemas/*"], false, false, false, false),
            (&[], false, false, false, false),
        ] {
            let (grant, name) = (grant(scopes), name("prompts/a"));
            assert_eq!(grant.covers(&name), sees, "{scopes:?}");
            assert_eq!(grant.sees_slot(&name, &slot("production")), production, "{scopes:?}");
            assert_eq!(grant.sees_slot(&name, &slot("canary")), canary, "{scopes:?}");
            assert_eq!(grant.sees_versions(&name), versions, "{scopes:?}");
        }
        assert!(Grant::All.covers(&name("a/b")) && Grant::All.sees_versions(&name("a/b")));
    }

    #[test]
    fn a_component_without_a_slot_in_scope_does_not_exist() {
        let sees = |scopes: &[&str], slots: &[&str]| {
            let slots: Vec<Slot> = slots.iter().map(|slot| slot.parse().unwrap()).collect();
            grant(scopes).sees(&name("prompts/a"), &slots)
        };
        assert!(sees(&["prompts/*@production"], &["latest", "production"]));
        assert!(sees(&["prompts/*@canary", "prompts/a@production"], &["production"]));
        assert!(sees(&["prompts/a"], &[]));
        assert!(!sees(&["prompts/*@production"], &["latest", "staging"]));
        assert!(!sees(&["prompts/*@production"], &[]));
        assert!(!sees(&["schemas/*"], &["production"]));
    }

    #[test]
    fn cut_down_turns_what_cannot_be_seen_into_absence() {
        let unknown = |slots: &[&str]| {
            let slots = slots.iter().map(|slot| slot.parse().unwrap()).collect();
            let existing = Existing { versions: vec!["v1.0.0".parse().unwrap()], slots };
            Refusal::SlotUnknown(name("prompts/a"), "production".parse().unwrap(), existing)
        };
        let whole = grant(&["prompts/*"]).cut_down(unknown(&["staging"]));
        assert_eq!(whole, unknown(&["staging"]));
        let grant = grant(&["prompts/*@production", "prompts/*@canary"]);
        let absent = Refusal::ComponentUnknown(name("prompts/a"), None);
        assert_eq!(grant.cut_down(unknown(&["latest", "staging"])), absent);
        let mut cut = grant.cut_down(unknown(&["canary", "latest"]));
        let (_, existing) = cut.existing_mut().unwrap();
        assert_eq!(existing.slots, ["canary".parse().unwrap()]);
        assert!(existing.versions.is_empty());
        assert_eq!(Grant::All.cut_down(unknown(&["staging"])), unknown(&["staging"]));
    }

    #[test]
    fn history_needs_a_scope_that_says_so() {
        let (a, production) = (name("prompts/a"), "production".parse().unwrap());
        let seen = |scopes: &[&str]| {
            let grant = grant(scopes);
            (grant.sees_history(&a, &production), grant.sees_authors(&a))
        };
        assert_eq!(seen(&["*"]), (false, false));
        assert_eq!(seen(&["*+history"]), (true, true));
        assert_eq!(seen(&["prompts/*+history"]), (true, true));
        assert_eq!(seen(&["prompts/a@production+history"]), (true, false));
        assert_eq!(seen(&["prompts/a@canary+history", "prompts/a"]), (false, false));
        assert_eq!(seen(&["schemas/*+history", "*"]), (false, false));
        assert!(Grant::All.sees_history(&a, &production) && Grant::All.sees_authors(&a));
    }

    #[test]
    fn parse_refuses_invalid_scopes() {
        for text in [
            "",
            "prompts",
            "prompts/",
            "pro*",
            "prompts/ex*",
            "*/a",
            "a/b@v1.0.0",
            "a/b@",
            "@x",
            "**",
            "Prompts/*",
            "prompts//*",
            "/*",
            "+history",
            "a/b+histor",
            "a/b+history@production",
            "a/b+history+history",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(ScopeError), "{text}");
        }
    }

    #[test]
    fn grant_finds_tokens_by_their_hash() {
        let hash = Digest::of(b"secret");
        let tokens: ReadTokens = format!("{{\"{hash}\":[\"prompts/*\"]}}").parse().unwrap();
        assert_eq!(tokens.grant("secret"), Some(&grant(&["prompts/*"])));
        assert_eq!(tokens.grant("Secret"), None);
        assert_eq!(tokens.grant(""), None);
    }

    #[test]
    fn errors_never_quote_the_secret() {
        for text in ["", "hunter2", "{\"hunter2\":[]}", "[\"hunter2\"]", "{\"a\":\"hunter2\"}"] {
            let error = text.parse::<ReadTokens>().unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
