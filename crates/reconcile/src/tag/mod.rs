//! The names of Git tags.
//!
//! A name has the form `{prefix}/{type}/{name…}/{slot-or-version}`. It is read from the full
//! name of the ref (`refs/tags/…`), because a branch may have the same short name.

mod misspelt;
mod target;

use std::fmt;

pub use self::target::{TagTarget, TargetError};

use self::misspelt::{VersionStart, begins_with, moving, name_and_version};
use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// The first segment of a component's tags. It says how a new version comes into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// `components`: hot-swappable, written to Workers KV.
    Components,
    /// `logic`: needs a rebuild, reported and never written.
    Logic,
}

impl Prefix {
    /// Returns the tag name's first segment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Components => "components",
            Self::Logic => "logic",
        }
    }
}

/// A tag's name: `components/prompts/extraction/v1.1.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagName {
    /// The prefix: hot-swappable or logic.
    pub prefix: Prefix,
    /// The component.
    pub component: ComponentName,
    /// The version or slot.
    pub target: TagTarget,
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.prefix.as_str(), self.component, self.target)
    }
}

/// The result of reading the full name of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefReading {
    /// A component's tag.
    Tag(TagName),
    /// A ref that is not a tag, or a tag outside of the two prefixes. It is ignored.
    Ignored,
    /// A tag inside a prefix that names no version or slot of a component.
    Malformed(Malformed),
}

/// A tag inside a prefix that names no version or slot of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The reason, and what to do.
    pub notice: Notice,
    moving: Option<Box<Moving>>,
}

/// A tag such as `v1`, which other projects move to each new version 1.x.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Moving {
    prefix: Prefix,
    component: ComponentName,
    start: VersionStart,
    range: String,
}

impl Malformed {
    /// Returns the notice about the tag in a repository with these tags. A tag `v1` beside
    /// versions 1.x is not reported as a misspelled version.
    pub fn among<'a>(self, tags: impl IntoIterator<Item = &'a TagName>) -> Notice {
        let Self { notice, moving: Some(moving) } = self else { return self.notice };
        let in_range = |tag: &TagName| {
            (tag.prefix, &tag.component) == (moving.prefix, &moving.component)
                && matches!(&tag.target, TagTarget::Version(v) if begins_with(v, moving.start))
        };
        match tags.into_iter().any(in_range) {
            true => moving.notice(notice.subject),
            false => notice,
        }
    }
}

impl Moving {
    fn notice(self, subject: String) -> Notice {
        let leaf = subject.rsplit('/').next().unwrap_or_default();
        let what = format!(
            "skipped: {leaf} is not a SemVer version, and it is not needed: `{}@{leaf}` is answered \
             as the range {}, with the highest of its versions",
            self.component, self.range
        );
        let help = format!("delete the tag: git tag --delete {subject}");
        Notice { subject, what, help: Some(help) }
    }
}

/// Reads the full name of a ref. Every input, also invalid UTF-8, has a result.
pub fn read_ref(full_name: &[u8]) -> RefReading {
    let Some(name) = full_name.strip_prefix(b"refs/tags/") else {
        return RefReading::Ignored;
    };
    let Some((prefix, rest)) = split_prefix(name) else {
        return RefReading::Ignored;
    };
    match read_rest(prefix, rest) {
        Ok(tag) => RefReading::Tag(tag),
        Err(Misread { what, help, moving }) => {
            let notice = Notice { subject: printable(name), what, help };
            RefReading::Malformed(Malformed { notice, moving })
        }
    }
}

/// Reads a tag's short name, as in a tag object; `None` if it does not name a version or slot
/// of a component.
pub fn read_short_name(name: &[u8]) -> Option<TagName> {
    let (prefix, rest) = split_prefix(name)?;
    read_rest(prefix, rest).ok()
}

fn split_prefix(name: &[u8]) -> Option<(Prefix, &[u8])> {
    [Prefix::Components, Prefix::Logic].into_iter().find_map(|prefix| {
        let rest = name.strip_prefix(prefix.as_str().as_bytes())?.strip_prefix(b"/")?;
        Some((prefix, rest))
    })
}

struct Misread {
    what: String,
    help: Option<String>,
    moving: Option<Box<Moving>>,
}

impl Misread {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: Some(help.into()), moving: None }
    }
}

fn read_rest(prefix: Prefix, rest: &[u8]) -> Result<TagName, Misread> {
    let rest = std::str::from_utf8(rest).map_err(|_| {
        Misread::new(
            "skipped: the tag's name is not UTF-8",
            "names are ASCII letters, digits, '_', '-' and '.'",
        )
    })?;
    let Some((folder, leaf)) = rest.rsplit_once('/') else {
        return Err(nameless(prefix, rest));
    };
    if !folder.contains('/') {
        return Err(joined(prefix, folder, leaf).unwrap_or_else(|| legacy(prefix, folder, leaf)));
    }
    let component: ComponentName = folder.parse().map_err(|error| {
        let help = "tag the component under a name that is allowed";
        Misread::new(format!("skipped: {error}"), help)
    })?;
    let target = leaf.parse().map_err(|error| {
        let joined = joined(prefix, folder, leaf);
        joined.unwrap_or_else(|| misread(error, prefix, component.clone(), leaf))
    })?;
    Ok(TagName { prefix, component, target })
}

/// Returns the problem of a tag whose last segment has both the name and the version, in the
/// form of release tools.
fn joined(prefix: Prefix, folder: &str, leaf: &str) -> Option<Misread> {
    let (name, version) = name_and_version(leaf)?;
    let component: ComponentName = format!("{folder}/{name}").parse().ok()?;
    let what =
        format!("skipped: {leaf} is a name and a version in one, the form of a release tool");
    Some(Misread::new(what, tag_again(prefix, &component, &version, &format!("{folder}/{leaf}"))))
}

/// Returns the problem of a slot whose name is the name and the version of another component:
/// `welcome-v1.2.0` in the folder `templates/emails`. `None` for any other name.
///
/// Such a slot may be meant as one, so that this is only asked if it cannot be served.
pub fn joined_slot(folder: &ComponentName, slot: &Slot) -> Option<(String, Option<String>)> {
    let Misread { what, help, .. } = joined(Prefix::Components, folder.as_str(), slot.as_str())?;
    Some((what, help))
}

/// Returns the command that makes a version's tag from another tag; `old` is that tag's name
/// after the prefix.
fn tag_again(prefix: Prefix, component: &ComponentName, version: &Version, old: &str) -> String {
    let prefix = prefix.as_str();
    let new = format!("{prefix}/{component}/{version}");
    format!(
        "tag it as {new}: git tag -a -m 'Release {version}' {new} 'refs/tags/{prefix}/{old}^{{}}'"
    )
}

fn nameless(prefix: Prefix, leaf: &str) -> Misread {
    let (name, target) = match name_and_version(leaf) {
        Some((name, version)) => (name, version.to_string()),
        None => ("<name>", printable(leaf.as_bytes())),
    };
    let help = format!("tag it as {}/<type>/{name}/{target}", prefix.as_str());
    Misread::new("skipped: it says neither the component's type nor its name", help)
}

fn legacy(prefix: Prefix, name: &str, leaf: &str) -> Misread {
    let prefix = prefix.as_str();
    let what = format!(
        "skipped: the legacy form {prefix}/<name>/<slot or version>, which does not say the \
         component's type"
    );
    let help = format!(
        "tag it as {prefix}/<type>/{}/{}, e.g. {prefix}/prompts/extraction/v1.0.0",
        printable(name.as_bytes()),
        printable(leaf.as_bytes())
    );
    Misread::new(what, help)
}

/// Returns the problem of a last segment that is neither a version nor a slot.
fn misread(error: TargetError, prefix: Prefix, component: ComponentName, leaf: &str) -> Misread {
    let old = format!("{component}/{leaf}");
    let help = match &error.meant {
        Some(version) => tag_again(prefix, &component, version, &old),
        None => "delete the tag, or make it again under a name that is allowed".to_owned(),
    };
    let moving =
        moving(leaf).map(|(range, start)| Box::new(Moving { prefix, component, start, range }));
    Misread { moving, ..Misread::new(format!("skipped: {}", error.why), help) }
}

/// Returns the folders of refs with the tags of these components; of all components if `only`
/// is empty.
pub fn ref_folders(only: &[ComponentName]) -> Vec<String> {
    let folder = |prefix: Prefix| format!("refs/tags/{}", prefix.as_str());
    let of = |prefix| match only {
        [] => vec![folder(prefix)],
        names => names.iter().map(|name| format!("{}/{name}", folder(prefix))).collect(),
    };
    [Prefix::Components, Prefix::Logic].into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests;
