//! Tags: what a Git tag's name says.
//!
//! `{prefix}/{type}/{name…}/{slot-or-version}`, read from the full name of the
//! ref (`refs/tags/…`), because a branch may have the same short name.

use std::fmt;
use std::str::FromStr;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::{CommitId, Version};
use notice::{Notice, printable};

/// What a component's tags begin with: how a new version comes into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// `components`: hot-swappable, goes to Workers KV.
    Components,
    /// `logic`: needs a rebuild, is reported and never written.
    Logic,
}

impl Prefix {
    /// The tag name's first segment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Components => "components",
            Self::Logic => "logic",
        }
    }
}

/// What a tag's last segment names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagTarget {
    /// A version: `v1.1.0`.
    Version(Version),
    /// A slot: `production`.
    Slot(Slot),
}

impl fmt::Display for TagTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Slot(slot) => slot.fmt(f),
        }
    }
}

/// A tag's name: `components/prompts/extraction/v1.1.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagName {
    /// Hot-swappable or logic.
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

/// What the full name of a ref was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefReading {
    /// A component's tag.
    Tag(TagName),
    /// No tag, or a tag outside of the two prefixes: nobody's business here.
    Ignored,
    /// A tag inside a prefix that names nothing; why, and what to do.
    Malformed(Notice),
}

/// Reads the full name of a ref. Total: any bytes have an answer.
pub fn read_ref(full_name: &[u8]) -> RefReading {
    let Some(name) = full_name.strip_prefix(b"refs/tags/") else {
        return RefReading::Ignored;
    };
    let Some((prefix, rest)) = split_prefix(name) else {
        return RefReading::Ignored;
    };
    match read_rest(prefix, rest) {
        Ok(tag) => RefReading::Tag(tag),
        Err(Misread { what, help }) => {
            RefReading::Malformed(Notice { subject: printable(name), what, help })
        }
    }
}

/// Reads a tag's short name, as a tag object holds it; `None` for one that names
/// no component's version or slot.
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
}

fn read_rest(prefix: Prefix, rest: &[u8]) -> Result<TagName, Misread> {
    let rest = std::str::from_utf8(rest).map_err(|_| Misread {
        what: "skipped: the tag's name is not UTF-8".to_owned(),
        help: Some("names are ASCII letters, digits, '_', '-' and '.'".to_owned()),
    })?;
    let Some((component, leaf)) = rest.rsplit_once('/') else {
        return Err(nameless(prefix, rest));
    };
    if !component.contains('/') {
        return Err(legacy(prefix, component, leaf));
    }
    let component = component.parse().map_err(|error| Misread {
        what: format!("skipped: {error}"),
        help: Some("tag the component under a name that is allowed".to_owned()),
    })?;
    let target = read_leaf(leaf).map_err(|misread| misread.renamed(prefix, &component, leaf))?;
    Ok(TagName { prefix, component, target })
}

fn nameless(prefix: Prefix, leaf: &str) -> Misread {
    let (prefix, leaf) = (prefix.as_str(), printable(leaf.as_bytes()));
    Misread {
        what: "skipped: it says neither the component's type nor its name".to_owned(),
        help: Some(format!("tag it as {prefix}/<type>/<name>/{leaf}")),
    }
}

fn legacy(prefix: Prefix, name: &str, leaf: &str) -> Misread {
    let prefix = prefix.as_str();
    Misread {
        what: format!(
            "skipped: the legacy form {prefix}/<name>/<slot or version>, \
             which does not say the component's type"
        ),
        help: Some(format!(
            "tag it as {prefix}/<type>/{}/{}, e.g. {prefix}/prompts/extraction/v1.0.0",
            printable(name.as_bytes()),
            printable(leaf.as_bytes())
        )),
    }
}

/// Why a text is neither a version tag's nor a slot's last segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    why: String,
    meant: Option<Version>,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match &self.meant {
            Some(version) => write!(f, "; did you mean {version}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TargetError {}

impl FromStr for TagTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        read_leaf(text)
    }
}

impl TargetError {
    fn renamed(self, prefix: Prefix, component: &ComponentName, leaf: &str) -> Misread {
        let prefix = prefix.as_str();
        let again = |version| {
            let new = format!("{prefix}/{component}/{version}");
            let old = format!("{prefix}/{component}/{leaf}");
            format!(
                "tag it as {new}: git tag -a -m 'Release {version}' {new} 'refs/tags/{old}^{{}}'"
            )
        };
        let otherwise =
            || "delete the tag, or make it again under a name that is allowed".to_owned();
        let help = Some(self.meant.map_or_else(otherwise, again));
        Misread { what: format!("skipped: {}", self.why), help }
    }
}

fn read_leaf(leaf: &str) -> Result<TagTarget, TargetError> {
    let version = leaf.parse::<Version>();
    if let (Ok(version @ Version::Release(_)), true) = (&version, leaf.starts_with('v')) {
        return Ok(TagTarget::Version(version.clone()));
    }
    if leaf.parse::<CommitId>().is_ok() {
        let why = "a full commit id is neither a version nor a slot".to_owned();
        return Err(TargetError { why, meant: None });
    }
    let slot_error = match leaf.parse::<Slot>() {
        Ok(slot) => return Ok(TagTarget::Slot(slot)),
        Err(error) => error,
    };
    let shown = printable(leaf.as_bytes());
    if let Some(meant) = meant(leaf) {
        let why = format!("{shown} is not 'v' and a SemVer 2.0 version: {}", flaw(leaf));
        return Err(TargetError { why, meant: Some(meant) });
    }
    let numbered = leaf.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let error = version.err().filter(|_| numbered).unwrap_or(slot_error);
    Err(TargetError { why: format!("{shown} is {error}"), meant: None })
}

/// What breaks SemVer in a text that [`meant`] could mend.
fn flaw(leaf: &str) -> &'static str {
    let core = leaf.trim_start_matches(['v', 'V']);
    let (core, _) = core.split_once(['-', '+']).unwrap_or((core, ""));
    if !leaf.starts_with('v') {
        return "the leading 'v' is missing";
    }
    if core.split('.').count() < 3 {
        return "three numbers are needed";
    }
    if core.split('.').any(|number| number.len() > 1 && number.starts_with('0')) {
        return "a number has leading zeros";
    }
    "a pre-release has ASCII letters, digits, '-' and dots only, and no leading zeros"
}

/// The version that a text in edgit's looser spelling (`v01.02.03`,
/// `v1.0.0-rc_1`, `1.0.0`, `v1.0`) most likely means.
fn meant(leaf: &str) -> Option<Version> {
    let text = leaf.trim_start_matches(['v', 'V']);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at_checked(end)?;
    let mut numbers: Vec<&str> = core.split('.').map(without_zeros).collect();
    if numbers.len() > 3 {
        return None;
    }
    numbers.resize(3, "0");
    let (pre, build) = rest.split_at_checked(rest.find('+').unwrap_or(rest.len()))?;
    let pre = match pre.strip_prefix('-') {
        Some(pre) => {
            format!("-{}", pre.split('.').map(without_zeros).collect::<Vec<_>>().join("."))
        }
        None => String::new(),
    };
    let mended = format!("v{}{pre}{build}", numbers.join(".")).replace('_', "-");
    mended.parse().ok().filter(|version| matches!(version, Version::Release(_)))
}

/// A number without leading zeros; anything else as it is.
fn without_zeros(text: &str) -> &str {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return text;
    }
    match text.trim_start_matches('0') {
        "" => "0",
        number => number,
    }
}

/// The folders of refs that hold the tags of these components; of all components if
/// `only` is empty.
pub fn ref_folders(only: &[ComponentName]) -> Vec<String> {
    let folder = |prefix: Prefix| format!("refs/tags/{}", prefix.as_str());
    let of = |prefix| match only {
        [] => vec![folder(prefix)],
        names => names.iter().map(|name| format!("{}/{name}", folder(prefix))).collect(),
    };
    [Prefix::Components, Prefix::Logic].into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(full_name: &str) -> TagName {
        match read_ref(full_name.as_bytes()) {
            RefReading::Tag(tag) => tag,
            other => panic!("{full_name}: {other:?}"),
        }
    }

    #[track_caller]
    fn malformed(name: &[u8], what: &str, help: &str) {
        let full_name = [b"refs/tags/", name].concat();
        let RefReading::Malformed(notice) = read_ref(&full_name) else {
            panic!("{name:?} was read");
        };
        assert!(notice.what.contains(what), "{}", notice.what);
        assert!(notice.help.as_deref().unwrap_or("").contains(help), "{:?}", notice.help);
        assert_eq!(notice.subject, printable(name));
    }

    #[test]
    fn names_that_are_read() {
        for (name, prefix, component, target) in [
            ("components/prompts/extraction/v1.1.0", "components", "prompts/extraction", "v1.1.0"),
            ("components/prompts/extraction/ring-0", "components", "prompts/extraction", "ring-0"),
            ("logic/agents/triage/production", "logic", "agents/triage", "production"),
            ("components/t/a/b/c/v1.0.0-rc.1+x", "components", "t/a/b/c", "v1.0.0-rc.1+x"),
            ("components/prompts/v1.0.0/latest", "components", "prompts/v1.0.0", "latest"),
        ] {
            let tag = tag(&format!("refs/tags/{name}"));
            assert_eq!(tag.prefix.as_str(), prefix);
            assert_eq!(tag.component.as_str(), component);
            assert_eq!(tag.target.to_string(), target);
            assert_eq!(tag.to_string(), name);
            assert_eq!(read_short_name(name.as_bytes()), Some(tag));
        }
    }

    #[test]
    fn the_rest_of_the_repository_is_ignored() {
        for name in [
            "refs/tags/v1.0.0",
            "refs/tags/components",
            "refs/tags/componentsx/prompts/a/v1.0.0",
            "refs/heads/components/prompts/a/v1.0.0",
            "components/prompts/a/v1.0.0",
            "",
        ] {
            assert_eq!(read_ref(name.as_bytes()), RefReading::Ignored, "{name}");
        }
    }

    #[test]
    fn what_edgit_accepts_is_named_with_what_to_do() {
        for (leaf, flaw, version) in [
            ("v01.02.03", "leading zeros", "v1.2.3"),
            ("v1.0.0-rc_1", "pre-release", "v1.0.0-rc-1"),
            ("1.0.0", "'v' is missing", "v1.0.0"),
            ("v1.0", "three numbers", "v1.0.0"),
            ("v1", "three numbers", "v1.0.0"),
            ("vv1.0.0", "", "v1.0.0"),
            ("v1.0.0-01", "leading zeros", "v1.0.0-1"),
            ("1.2-beta", "'v' is missing", "v1.2.0-beta"),
        ] {
            let help = format!("tag it as components/p/a/{version}: git tag -a");
            malformed(format!("components/p/a/{leaf}").as_bytes(), flaw, &help);
        }
    }

    #[test]
    fn a_target_alone() {
        for (text, shown) in [("v1.0.0", "v1.0.0"), ("ring-0", "ring-0")] {
            assert_eq!(text.parse::<TagTarget>().unwrap().to_string(), shown);
        }
        let error = |text: &str| text.parse::<TagTarget>().unwrap_err().to_string();
        assert!(error("v1.0").ends_with("three numbers are needed; did you mean v1.0.0?"));
        assert!(error("--force").contains("begins with a letter"));
    }

    #[test]
    fn other_malformed_names() {
        malformed(b"components/extraction/v1.0.0", "legacy", "components/<type>/extraction/v1.0.0");
        malformed(b"components/v1.0.0", "neither", "components/<type>/<name>/v1.0.0");
        malformed(b"logic/extraction/production", "legacy", "logic/<type>/extraction");
        malformed(b"components/prompts/gr\xfcn/production", "not UTF-8", "ASCII");
        malformed("components/prompts/gr\u{fc}n/production".as_bytes(), "byte 10", "");
        malformed(b"components/prompts/--help/production", "begins with a letter", "");
        malformed(b"components/prompts/a/--force", "begins with a letter", "");
        malformed(b"components/Prompts/a/production", "lower-case", "");
        malformed(b"components/sha256/a/production", "reserved", "");
        malformed(b"components/prompts/a/x", "version or a range", "");
        malformed(b"components/prompts/a/2024-01-01x_y z", "", "");
        malformed(
            b"components/prompts/a/947e4e2247da185c97ee358273a064bc3e3e0fed",
            "full commit id",
            "",
        );
        let long = format!("components/prompts/{}/production", "a".repeat(200));
        malformed(long.as_bytes(), "longer than 200 bytes", "");
        malformed(format!("components/p/a/{}", "s".repeat(65)).as_bytes(), "64 bytes", "");
        let long = format!("components/p/a/v1.0.0-{}", "a".repeat(200));
        malformed(long.as_bytes(), "longer than 128 bytes", "");
    }

    proptest! {
        #[test]
        fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read_ref(&[&b"refs/tags/components/"[..], &bytes].concat());
            let _ = read_ref(&bytes);
        }

        /// A tag's name has one spelling: what is read is written as it was.
        #[test]
        fn what_is_read_is_written_back(
            name in "(components|logic)/[a-z]{1,3}/[a-z0-9.-]{1,6}/[v0-9a-z.+_-]{1,12}",
        ) {
            if let RefReading::Tag(tag) = read_ref(format!("refs/tags/{name}").as_bytes()) {
                prop_assert_eq!(tag.to_string(), name);
            }
        }

        #[test]
        fn what_is_meant_is_a_version(leaf in "[vV]{0,2}[0-9]{1,3}(\\.[0-9]{1,3}){0,3}([-+][0-9a-z_.]{0,6})?") {
            if let Some(version) = meant(&leaf) {
                let written = version.to_string();
                prop_assert_eq!(written.parse::<Version>().unwrap(), version);
            }
        }
    }
}
