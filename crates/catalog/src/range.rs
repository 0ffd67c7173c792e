//! `SemVer` ranges with npm's meaning.
//!
//! The dialect is that of node-semver, as specified in its
//! [README](https://github.com/npm/node-semver#ranges): comparators, `^`, `~`, x-ranges,
//! partial versions, hyphen ranges and `||`. A pre-release satisfies a range only if a
//! comparator names a pre-release of the same `major.minor.patch`. Rust's `semver` interprets
//! some of the same texts differently (`1.2.3` as `^1.2.3`, `,` for "and"). Therefore the text
//! is parsed here into plain `<`, `<=`, `>`, `>=`, `=` comparators, and `semver` only matches
//! them. White space means ASCII white space. `tests/semver/` compares this module with npm's
//! package.

mod bounds;
mod partial;

use std::fmt;
use std::str::FromStr;

use semver::{BuildMetadata, Comparator, Op, VersionReq};

pub(crate) use self::bounds::Bounds;
use self::partial::Partial;
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

    /// The largest number of comparators; `^1.2` has two. Each may need a search of its own among
    /// ten thousand versions, and a request may have a hundred ranges.
    pub const MAX_COMPARATORS: usize = 16;

    /// Tells if `version` satisfies the range.
    pub fn matches(&self, version: &semver::Version) -> bool {
        self.alternatives.iter().any(|all| all.matches(version))
    }

    /// Iterates over the intervals that the range consists of.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = Bounds<'_>> {
        self.alternatives.iter().map(Bounds::of)
    }
}

fn operator(token: &str) -> (&str, &str) {
    let length = ["<=", ">=", "<", ">", "="].iter().find(|op| token.starts_with(**op));
    token.split_at(length.map_or(0, |op| op.len()))
}

/// Removes build metadata, which has no meaning in a range but must be valid.
fn without_build(token: &str) -> Option<&str> {
    let Some((rest, build)) = token.split_once('+') else { return Some(token) };
    let build = BuildMetadata::new(build).ok()?;
    (!build.is_empty()).then_some(rest)
}

fn simple(token: &str) -> Option<Vec<Comparator>> {
    let token = without_build(token)?;
    if let Some(rest) = token.strip_prefix('^') {
        return Partial::parse(rest)?.caret();
    }
    if let Some(rest) = token.strip_prefix('~') {
        return Partial::parse(rest.strip_prefix('>').unwrap_or(rest))?.tilde();
    }
    let (op, rest) = operator(token);
    Partial::parse(rest).filter(Partial::is_ordered)?.compared(op)
}

/// Tells if a version may follow after white space. In `== 1.2`, npm treats the second `=` as
/// part of the version, so the two must not be split.
fn ends_with_operator(token: &str) -> bool {
    token.ends_with(['<', '>', '=']) && !token.ends_with("==")
}

/// Joins an operator and its version, between which npm allows white space.
fn join_operators<'a>(tokens: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for token in tokens {
        let version = without_build(token).and_then(Partial::parse).is_some();
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

/// Parses one alternative, of which every comparator must hold.
fn alternative(text: &str) -> Option<VersionReq> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [from, "-", to] = words.as_slice() {
        let end = |text: &str| Partial::parse(without_build(text)?);
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

/// Builds a requirement. `>=0.0.0` matches everything and is dropped, as in npm.
fn requirement(mut comparators: Vec<Comparator>) -> VersionReq {
    let zero = |c: &Comparator| c.major == 0 && c.minor == Some(0) && c.patch == Some(0);
    comparators.retain(|c| !(c.op == Op::GreaterEq && zero(c) && c.pre.is_empty()));
    // A request may hold thousands of them.
    comparators.shrink_to_fit();
    VersionReq { comparators }
}

/// Splits at the first `||`.
fn first_alternative(text: &str) -> (&str, Option<&str>) {
    // The substring search of the standard library would take up a hundredth of the Wasm.
    let bars = text.as_bytes().windows(2).position(|pair| pair == b"||");
    let split = bars.and_then(|at| Some((text.get(..at)?, text.get(at + 2..)?)));
    split.map_or((text, None), |(first, rest)| (first, Some(rest)))
}

impl FromStr for Range {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let fail = |at, why| GrammarError { grammar: Grammar::Range, at, why };
        if text.len() > Self::MAX_LEN {
            return Err(fail(Self::MAX_LEN, "longer than 256 bytes"));
        }
        let (mut alternatives, mut comparators) = (Vec::new(), 0);
        let mut at = 0;
        let mut rest = Some(text);
        while let Some(all) = rest {
            let (part, others) = first_alternative(all);
            let parsed = alternative(part);
            let parsed = parsed.ok_or_else(|| fail(at, "not a range in npm's grammar"))?;
            comparators += parsed.comparators.len();
            if comparators > Self::MAX_COMPARATORS {
                return Err(fail(at, "more than 16 comparators"));
            }
            alternatives.push(parsed);
            at += part.len() + 2;
            rest = others;
        }
        // As in npm, an alternative that matches everything replaces all others and their
        // pre-releases.
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
    fn parse_accepts_the_forms_of_npm() {
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
    fn parse_refuses_what_npm_refuses() {
        for text in [
            "production",
            "latest",
            "1.2.3.4",
            "01.2.3",
            "^",
            ">",
            "v",
            "1.2-a",
            "a||1",
            "1+",
            "1+.a",
            "1+a/b",
            "1 - 2+\u{e9}",
        ] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        let error = "^1 || nope".parse::<Range>().unwrap_err();
        assert_eq!((error.grammar, error.at), (Grammar::Range, 5));
    }

    #[test]
    fn parse_refuses_more_than_sixteen_comparators() {
        let most = ["^1"; 8].join("||");
        assert!(most.parse::<Range>().is_ok());
        let error = format!("{most}||=2.0.0").parse::<Range>().unwrap_err();
        assert_eq!((error.at, error.why), (most.len() + 2, "more than 16 comparators"));
        assert!([">=1.0.0-a"; 17].join(" ").parse::<Range>().is_err());
    }
}
