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
    /// The binding's name in `wrangler.toml`.
    pub fn binding(self) -> &'static str {
        match self {
            Self::Slots => "SLOTS",
            Self::Components => "COMPONENTS",
        }
    }
}

/// How long a location of the edge may keep what a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheClass {
    /// It moves: the shortest time that Workers KV allows.
    Mutable,
    /// It does not change but for a revocation.
    Record,
    /// It is named by its digest.
    Immutable,
}

impl CacheClass {
    /// The class to read with once more when a key turns out absent, before it is
    /// called missing.
    ///
    /// Workers KV caches a miss as long as a hit: a location that asked for an
    /// immutable key too early would say "absent" for a year.
    pub fn after_absent(self) -> Option<Self> {
        match self {
            Self::Mutable => None,
            Self::Record | Self::Immutable => Some(Self::Mutable),
        }
    }
}

/// A key in one of the namespaces.
///
/// The seven forms never collide: a slot has a namespace of its own, `sha256` is
/// no component type, a catalog record's key has no `@`, and names admit none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `SLOTS`: `prompts/extraction@production`.
    Slot(ComponentName, Slot),
    /// `COMPONENTS`: `sha256/<hex>`.
    Content(Digest),
    /// `COMPONENTS`: `prompts/extraction@v1.1.0`, or `@<commit id>`.
    Version(ComponentName, Version),
    /// `COMPONENTS`: `prompts/extraction`.
    Catalog(ComponentName),
    /// `COMPONENTS`: `index`, the names of all components.
    Index,
    /// `COMPONENTS`: `@sync/<run>`, a run of a sync.
    Sync(RunId),
    /// `COMPONENTS`: `sha256/<hex>@unreferenced`, since when no record names a content.
    Unreferenced(Digest),
}

/// No component has a name without a `/`.
const INDEX: &str = "index";

/// What the keys of the runs of syncs begin with. They stand before all others, so that
/// a listing tells of a run before it tells of anything that the run may have changed.
pub const SYNC_PREFIX: &str = "@sync/";

const CONTENT_PREFIX: &str = "sha256/";

const UNREFERENCED_SUFFIX: &str = "@unreferenced";

impl Key {
    /// Where the key is.
    pub fn namespace(&self) -> Namespace {
        match self {
            Self::Slot(..) => Namespace::Slots,
            Self::Content(_)
            | Self::Version(..)
            | Self::Catalog(_)
            | Self::Index
            | Self::Sync(_)
            | Self::Unreferenced(_) => Namespace::Components,
        }
    }

    /// How long a read of it may be kept at the edge.
    pub fn cache_class(&self) -> CacheClass {
        match self {
            Self::Slot(..)
            | Self::Catalog(_)
            | Self::Index
            | Self::Sync(_)
            | Self::Unreferenced(_) => CacheClass::Mutable,
            Self::Version(..) => CacheClass::Record,
            Self::Content(_) => CacheClass::Immutable,
        }
    }

    /// Reads a key back; `None` for one that nothing here wrote.
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
    fn written_and_read_back() {
        let content = format!("sha256/{HEX}");
        let unreferenced = format!("{content}@unreferenced");
        for (namespace, text) in [
            (Namespace::Slots, "prompts/extraction@production"),
            (Namespace::Components, content.as_str()),
            (Namespace::Components, unreferenced.as_str()),
            (Namespace::Components, "prompts/extraction@v1.1.0"),
            (Namespace::Components, "prompts/extraction@947e4e2247da185c97ee358273a064bc3e3e0fed"),
            (Namespace::Components, "templates/emails/welcome"),
            (Namespace::Components, "index"),
            (Namespace::Components, "@sync/0123456789abcdef0123456789abcdef"),
        ] {
            let key = Key::parse(namespace, text).unwrap();
            assert_eq!((key.namespace(), key.to_string()), (namespace, text.to_owned()));
        }
    }

    #[test]
    fn foreign_keys_are_nobodys() {
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
            &upper,
            "sha256/abc",
        ] {
            assert_eq!(Key::parse(Namespace::Components, text), None, "{text}");
        }
        assert_eq!(Key::parse(Namespace::Slots, "prompts/a"), None);
        assert_eq!(Key::parse(Namespace::Slots, "prompts/a@v1.0.0"), None);
    }

    /// The longest of each part stays under the platform's limits, with the
    /// arithmetic of [`ComponentName`].
    #[test]
    fn longest_keys_fit() {
        let name: ComponentName = format!("p/{}", "n".repeat(198)).parse().unwrap();
        let slot: Slot = "s".repeat(64).parse().unwrap();
        let version: Version = format!("v1.0.0-{}", "a".repeat(121)).parse().unwrap();
        assert_eq!(Key::Slot(name.clone(), slot).to_string().len(), 265);
        assert_eq!(Key::Version(name, version).to_string().len(), 329);
    }
}
