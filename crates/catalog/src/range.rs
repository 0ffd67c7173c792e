//! SemVer ranges with npm's meaning.
//!
//! The dialect is that of node-semver, as its
//! [README](https://github.com/npm/node-semver#ranges) gives it: comparators,
//! `^`, `~`, x-ranges, partial versions, hyphen ranges and `||`; a pre-release
//! satisfies a range only where a comparator names one of the same
//! `major.minor.patch`. Rust's `semver` reads some of the same texts otherwise
//! (`1.2.3` as `^1.2.3`, `,` for "and"), so the text is parsed here into plain
//! `<`, `<=`, `>`, `>=`, `=` comparators and only matched there. White space is
//! ASCII's. `tests/semver/` holds both against npm's package.

use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, Prerelease, VersionReq};

use crate::grammar::{Grammar, GrammarError};

/// A set of versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    text: String,
    alternatives: Vec<VersionReq>,
}

impl Range {
    /// The longest range, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Whether `version` satisfies the range.
    pub fn matches(&self, version: &semver::Version) -> bool {
        self.alternatives.iter().any(|all| all.matches(version))
    }
}

/// JavaScript's `Number.MAX_SAFE_INTEGER`, the largest number that npm takes.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A version of which the tail may be left open.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
    /// Nothing but one `v` stood in front, as before a whole version.
    plain: bool,
}

/// The lower triple that an open tail begins at.
type Triple = (u64, u64, u64);

fn comparator(op: Op, (major, minor, patch): Triple, pre: Prerelease) -> Option<Comparator> {
    let bounded = [major, minor, patch].iter().all(|number| *number <= MAX_NUMBER);
    bounded.then_some(Comparator { op, major, minor: Some(minor), patch: Some(patch), pre })
}

/// `-0`: below every other pre-release, so `<2.0.0-0` excludes those of 2.0.0.
fn lowest_pre() -> Prerelease {
    Prerelease::new("0").unwrap_or(Prerelease::EMPTY)
}

fn at_least(triple: Triple, pre: &Prerelease) -> Option<Comparator> {
    comparator(Op::GreaterEq, triple, pre.clone())
}

fn below(triple: Triple) -> Option<Comparator> {
    comparator(Op::Less, triple, lowest_pre())
}

/// A comparator that no version satisfies.
fn nothing() -> Option<Vec<Comparator>> {
    Some(vec![below((0, 0, 0))?])
}

fn number_or_x(text: &str) -> Option<Option<u64>> {
    if matches!(text, "x" | "X" | "*") {
        return Some(None);
    }
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|number| *number <= MAX_NUMBER)?;
    (canonical && digits).then_some(Some(number))
}

impl Partial {
    /// node-semver's `XRANGEPLAIN`, with build metadata already cut off.
    fn parse(text: &str) -> Option<Self> {
        let core = text.trim_start_matches(['v', '=']);
        let plain = matches!(text.len() - core.len(), 0) || text.strip_prefix('v') == Some(core);
        let (numbers, pre) = match core.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(Prerelease::new(pre).ok()?)),
            None => (core, None),
        };
        let mut parts = numbers.split('.').map(number_or_x);
        let mut next = || parts.next().map_or(Some(None), |part| part);
        let (major, minor, patch) = (next()?, next()?, next()?);
        let whole = numbers.split('.').count();
        let empty_pre = pre.as_ref().is_some_and(|pre| pre.is_empty());
        if whole > 3 || empty_pre || (pre.is_some() && whole < 3) {
            return None;
        }
        Some(Self { major, minor, patch, pre: pre.unwrap_or(Prerelease::EMPTY), plain })
    }

    /// The lowest version that it stands for: open parts are 0. A pre-release
    /// counts only behind a whole version.
    fn lowest(&self) -> (Triple, Prerelease) {
        let (major, minor) = (self.major.unwrap_or(0), self.minor.unwrap_or(0));
        match (self.minor, self.patch) {
            (Some(_), Some(patch)) => ((major, minor, patch), self.pre.clone()),
            _ => ((major, minor, 0), Prerelease::EMPTY),
        }
    }

    /// The first version above all that it stands for; `None` if it stands for all.
    fn next(&self) -> Option<Triple> {
        Some(match (self.major?, self.minor, self.patch) {
            (major, None, _) => (major + 1, 0, 0),
            (major, Some(minor), None) => (major, minor + 1, 0),
            (major, Some(minor), Some(patch)) => (major, minor, patch + 1),
        })
    }

    /// Nothing that is left open stands before a number: `1.x.3` is no x-range,
    /// though npm takes it behind `^`, `~` and in a hyphen range.
    fn is_ordered(&self) -> bool {
        (self.major.is_some() || self.minor.is_none())
            && (self.minor.is_some() || self.patch.is_none())
    }

    fn is_open(&self) -> bool {
        self.major.is_none() || self.minor.is_none() || self.patch.is_none()
    }

    fn lowest_to(&self, bound: Triple) -> Option<Vec<Comparator>> {
        let (triple, pre) = self.lowest();
        Some(vec![at_least(triple, &pre)?, below(bound)?])
    }

    /// `^`: whatever leaves the leftmost non-zero number as it is.
    fn caret(&self) -> Option<Vec<Comparator>> {
        let Some(major) = self.major else { return Some(Vec::new()) };
        let bound = match (major, self.minor, self.patch) {
            (0, Some(0), Some(patch)) => (0, 0, patch + 1),
            (0, Some(minor), _) => (0, minor + 1, 0),
            _ => (major + 1, 0, 0),
        };
        self.lowest_to(bound)
    }

    /// `~`: patches, or minors too where no minor is named.
    fn tilde(&self) -> Option<Vec<Comparator>> {
        match (self.major, self.minor) {
            (None, _) => Some(Vec::new()),
            (Some(major), None) => self.lowest_to((major + 1, 0, 0)),
            (Some(major), Some(minor)) => self.lowest_to((major, minor + 1, 0)),
        }
    }

    /// A comparator or an x-range: `op` is `""`, `=`, `<`, `<=`, `>` or `>=`.
    fn compared(&self, op: &str) -> Option<Vec<Comparator>> {
        let (lowest, pre) = self.lowest();
        let Some(next) = self.next() else {
            return if matches!(op, "<" | ">") { nothing() } else { Some(Vec::new()) };
        };
        if self.is_open() {
            return Some(match op {
                "<" => vec![below(lowest)?],
                "<=" => vec![below(next)?],
                ">" => vec![at_least(next, &Prerelease::EMPTY)?],
                ">=" => vec![at_least(lowest, &Prerelease::EMPTY)?],
                _ => return self.lowest_to(next),
            });
        }
        let op = match op {
            "<" => Op::Less,
            "<=" => Op::LessEq,
            ">" => Op::Greater,
            ">=" => Op::GreaterEq,
            _ => Op::Exact,
        };
        self.plain.then_some(vec![comparator(op, lowest, pre)?])
    }

    /// The upper end of a hyphen range, which includes all that it stands for.
    fn up_to(&self) -> Option<Vec<Comparator>> {
        match (self.major, self.pre.is_empty()) {
            (None, _) => Some(Vec::new()),
            (Some(_), true) => self.compared("<="),
            // npm spells a pre-release anew here and so forgets what stood before it.
            (Some(_), false) => {
                let (lowest, pre) = self.lowest();
                if self.is_open() {
                    self.compared("<=")
                } else {
                    Some(vec![comparator(Op::LessEq, lowest, pre)?])
                }
            }
        }
    }

    /// The lower end of a hyphen range.
    fn from(&self) -> Option<Vec<Comparator>> {
        if self.major.is_none() { Some(Vec::new()) } else { self.compared(">=") }
    }
}

fn operator(token: &str) -> (&str, &str) {
    let length = ["<=", ">=", "<", ">", "="].iter().find(|op| token.starts_with(**op));
    token.split_at(length.map_or(0, |op| op.len()))
}

fn simple(token: &str) -> Option<Vec<Comparator>> {
    let token = token.split('+').next().unwrap_or(token);
    if let Some(rest) = token.strip_prefix('^') {
        return Partial::parse(rest)?.caret();
    }
    if let Some(rest) = token.strip_prefix('~') {
        return Partial::parse(rest.strip_prefix('>').unwrap_or(rest))?.tilde();
    }
    let (op, rest) = operator(token);
    Partial::parse(rest).filter(Partial::is_ordered)?.compared(op)
}

/// Whether a version may follow after white space. In `== 1.2` npm takes the
/// second `=` for a part of the version, which must not be torn.
fn ends_with_operator(token: &str) -> bool {
    token.ends_with(['<', '>', '=']) && !token.ends_with("==")
}

/// Joins what npm lets white space stand between: an operator and its version.
fn join_operators<'a>(tokens: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for token in tokens {
        let version = Partial::parse(token.split('+').next().unwrap_or(token)).is_some();
        match joined.last_mut() {
            Some(last) if version && ends_with_operator(last) => last.push_str(token),
            _ => joined.push(token.to_owned()),
        }
    }
    let mut tokens: Vec<String> = Vec::new();
    for token in joined {
        match tokens.last_mut() {
            Some(last) if matches!(last.as_str(), "^" | "~" | "~>") => {
                last.truncate(1);
                last.push_str(&token);
            }
            _ => tokens.push(token),
        }
    }
    tokens
}

/// One alternative: every comparator of it must hold.
fn alternative(text: &str) -> Option<VersionReq> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [from, "-", to] = words.as_slice() {
        let end = |text: &str| Partial::parse(text.split('+').next().unwrap_or(text));
        let mut comparators = end(from)?.from()?;
        comparators.extend(end(to)?.up_to()?);
        return Some(requirement(comparators));
    }
    let mut comparators = Vec::new();
    for token in join_operators(words.into_iter()) {
        comparators.extend(simple(&token)?);
    }
    Some(requirement(comparators))
}

/// `>=0.0.0` says nothing, and npm drops it.
fn requirement(mut comparators: Vec<Comparator>) -> VersionReq {
    let zero = |c: &Comparator| c.major == 0 && c.minor == Some(0) && c.patch == Some(0);
    comparators.retain(|c| !(c.op == Op::GreaterEq && zero(c) && c.pre.is_empty()));
    VersionReq { comparators }
}

impl FromStr for Range {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |at, why| GrammarError { grammar: Grammar::Range, at, why };
        if text.len() > Self::MAX_LEN {
            return Err(fail(Self::MAX_LEN, "longer than 256 bytes"));
        }
        let mut alternatives = Vec::new();
        let mut at = 0;
        for part in text.split("||") {
            let parsed = alternative(part);
            alternatives.push(parsed.ok_or_else(|| fail(at, "not a range in npm's grammar"))?);
            at += part.len() + 2;
        }
        // As in npm, "anything" swallows the rest, pre-releases named there included.
        if let Some(any) = alternatives.iter().position(|all| all.comparators.is_empty()) {
            alternatives = vec![alternatives.swap_remove(any)];
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        Ok(Self { text: words.join(" "), alternatives })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let range: Range = range.parse().unwrap();
        for (versions, expected) in [(inside, true), (outside, false)] {
            for version in versions {
                let matched = range.matches(&version.parse().unwrap());
                assert_eq!(matched, expected, "{range} {version}");
            }
        }
    }

    #[test]
    fn the_forms_of_the_design() {
        check("^1.2", &["1.2.0", "1.9.9"], &["1.1.9", "2.0.0", "1.3.0-rc.1"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]);
        check("1.x", &["1.0.0", "1.9.0"], &["2.0.0", "0.9.0"]);
        check("1", &["1.0.0"], &["2.0.0-0"]);
        check(">=1.2 <2", &["1.2.0", "1.99.0"], &["2.0.0", "2.0.0-rc.1"]);
        check("1.2 - 1.4", &["1.2.0", "1.4.9"], &["1.5.0", "1.1.0"]);
        check("^1 || ^2", &["1.0.0", "2.5.0"], &["3.0.0"]);
        check("*", &["0.0.0", "9.0.0"], &["1.0.0-rc.1"]);
        check("^1.2.3-beta.2", &["1.2.3-beta.2", "1.2.3-rc", "1.4.0"], &["1.2.4-beta.3"]);
    }

    #[test]
    fn not_ranges() {
        for text in ["production", "latest", "1.2.3.4", "01.2.3", "^", ">", "v", "1.2-a", "a||1"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        let error = "^1 || nope".parse::<Range>().unwrap_err();
        assert_eq!((error.grammar, error.at), (Grammar::Range, 5));
    }
}
