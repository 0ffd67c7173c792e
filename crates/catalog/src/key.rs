//! Every key of the two Workers KV namespaces, in one place.

use std::fmt;

use crate::digest::Digest;
use crate::name::ComponentName;
use crate::record::RunId;
use crate::slot::Slot;
use crate::version::Version;

/// A Workers KV namespace, by the name of its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// Slot records: small, mutable, the hot path.
    Slots,
    /// Contents by digest, and the records that name them.
    Components,
}

impl Namespace {
    /// Returns the binding's name in `wrangler.toml`.
    pub fn binding(self) -> &'static str {
        match self {
            Self::Slots => "SLOTS",
            Self::Components => "COMPONENTS",
        }
    }
}

/// The time for which a location of the edge may keep the result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheClass {
    /// The value changes often: the shortest time that Workers KV allows.
    Mutable,
    /// The value changes only by a revocation.
    Record,
    /// The value never changes, because its key is its digest.
    Immutable,
}

impl CacheClass {
    /// Returns the class for a second read of an absent key, before the key counts as missing.
    ///
    /// Workers KV caches a miss as long as a hit: a location that reads an immutable key too
    /// early would report it as absent for a year.
    pub fn after_absent(self) -> Option<Self> {
        match self {
            Self::Mutable => None,
            Self::Record | Self::Immutable => Some(Self::Mutable),
        }
    }
}

/// A key in one of the namespaces.
///
/// The eight forms never collide: slots have their own namespace, `sha256` is not a component
/// type, the key of a catalog record has no `@`, names cannot contain one, and `ranges` is not a
/// version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `SLOTS`: `prompts/extraction@production`.
    Slot(ComponentName, Slot),
    /// `COMPONENTS`: `sha256/<hex>`.
    Content(Digest),
    /// `COMPONENTS`: `prompts/extraction@v1.1.0`, or `@<commit id>`.
    Version(ComponentName, Version),
    /// `COMPONENTS`: `prompts/extraction@ranges`, the versions among which a range chooses.
    Ranges(ComponentName),
    /// `COMPONENTS`: `prompts/extraction`.
    Catalog(ComponentName),
    /// `COMPONENTS`: `index`, the names of all components.
    Index,
    /// `COMPONENTS`: `@sync/<run>`, a run of a sync.
    Sync(RunId),
    /// `COMPONENTS`: `sha256/<hex>@unreferenced`, the time since which no record names a
    /// content.
    Unreferenced(Digest),
}

/// The key of the index. It cannot be a component, whose name contains a `/`.
const INDEX: &str = "index";

/// The prefix of the keys of sync runs. They sort before all others, so a listing shows a run
/// before anything that the run may have changed.
pub const SYNC_PREFIX: &str = "@sync/";

const CONTENT_PREFIX: &str = "sha256/";

const UNREFERENCED_SUFFIX: &str = "@unreferenced";

const RANGES_SUFFIX: &str = "@ranges";

impl Key {
    /// Returns the namespace of the key.
    pub fn namespace(&self) -> Namespace {
        match self {
            Self::Slot(..) => Namespace::Slots,
            Self::Content(_)
            | Self::Version(..)
            | Self::Ranges(_)
            | Self::Catalog(_)
            | Self::Index
            | Self::Sync(_)
            | Self::Unreferenced(_) => Namespace::Components,
        }
    }

    /// Returns the time for which the edge may keep a read of the key.
    pub fn cache_class(&self) -> CacheClass {
        match self {
            Self::Slot(..)
            | Self::Ranges(_)
            | Self::Catalog(_)
            | Self::Index
            | Self::Sync(_)
            | Self::Unreferenced(_) => CacheClass::Mutable,
            Self::Version(..) => CacheClass::Record,
            Self::Content(_) => CacheClass::Immutable,
        }
    }

    /// Parses a key. Returns `None` for a key of another program.
    pub fn parse(namespace: Namespace, text: &str) -> Option<Self> {
        if namespace == Namespace::Slots {
            let (name, slot) = text.rsplit_once('@')?;
            return Some(Self::Slot(name.parse().ok()?, slot.parse().ok()?));
        }
        if text == INDEX {
            return Some(Self::Index);
        }
        if let Some(run) = text.strip_prefix(SYNC_PREFIX) {
            return run.parse().ok().map(Self::Sync);
        }
        if let Some(rest) = text.strip_prefix(CONTENT_PREFIX) {
            let key = match rest.strip_suffix(UNREFERENCED_SUFFIX) {
                Some(hex) => hex.parse().ok().map(Self::Unreferenced),
                None => rest.parse().ok().map(Self::Content),
            };
            return key.filter(|key| key.to_string() == text);
        }
        if let Some(name) = text.strip_suffix(RANGES_SUFFIX) {
            return name.parse().ok().map(Self::Ranges);
        }
        let Some((name, version)) = text.rsplit_once('@') else {
            return text.parse().ok().map(Self::Catalog);
        };
        let key = Self::Version(name.parse().ok()?, version.parse().ok()?);
        (key.to_string() == text).then_some(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(name, slot) => write!(f, "{name}@{slot}"),
            Self::Content(digest) => write!(f, "{CONTENT_PREFIX}{digest}"),
            Self::Version(name, version) => write!(f, "{name}@{version}"),
            Self::Ranges(name) => write!(f, "{name}{RANGES_SUFFIX}"),
            Self::Catalog(name) => name.fmt(f),
            Self::Index => f.write_str(INDEX),
            Self::Sync(run) => write!(f, "{SYNC_PREFIX}{run}"),
            Self::Unreferenced(digest) => {
                write!(f, "{CONTENT_PREFIX}{digest}{UNREFERENCED_SUFFIX}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn keys_round_trip() {
        let content = format!("sha256/{HEX}");
        let unreferenced = format!("{content}@unreferenced");
        for (namespace, text) in [
            (Namespace::Slots, "prompts/extraction@production"),
            (Namespace::Components, content.as_str()),
            (Namespace::Components, unreferenced.as_str()),
            (Namespace::Components, "prompts/extraction@v1.1.0"),
            (Namespace::Components, "prompts/extraction@947e4e2247da185c97ee358273a064bc3e3e0fed"),
            (Namespace::Components, "prompts/extraction@ranges"),
            (Namespace::Components, "templates/emails/welcome"),
            (Namespace::Components, "index"),
            (Namespace::Components, "@sync/0123456789abcdef0123456789abcdef"),
        ] {
            let key = Key::parse(namespace, text).unwrap();
            assert_eq!((key.namespace(), key.to_string()), (namespace, text.to_owned()));
        }
    }

    #[test]
    fn parse_ignores_keys_of_other_programs() {
        let upper = format!("sha256/{}", HEX.to_uppercase());
        for text in [
            "",
            "a",
            "a@b",
            "@sync/",
            "@sync/v1.0.0",
            "sync@0123456789abcdef0123456789abcdef",
            "prompts/a@1.0.0",
            "prompts/a@production",
            "@ranges",
            "a@ranges",
            &upper,
            "sha256/abc",
        ] {
            assert_eq!(Key::parse(Namespace::Components, text), None, "{text}");
        }
        assert_eq!(Key::parse(Namespace::Slots, "prompts/a"), None);
        assert_eq!(Key::parse(Namespace::Slots, "prompts/a@v1.0.0"), None);
    }

    /// The longest key of each form stays within the limits of the platform, with the
    /// arithmetic of [`ComponentName`].
    #[test]
    fn the_longest_keys_fit() {
        let name: ComponentName = format!("p/{}", "n".repeat(198)).parse().unwrap();
        let slot: Slot = "s".repeat(64).parse().unwrap();
        let version: Version = format!("v1.0.0-{}", "a".repeat(121)).parse().unwrap();
        assert_eq!(Key::Slot(name.clone(), slot).to_string().len(), 265);
        assert_eq!(Key::Version(name, version).to_string().len(), 329);
    }
}
