//! The versions of one alternative of a range, as an interval of sorted versions.
//!
//! Comparators name complete versions, so those of an alternative have one lowest and one highest
//! version in common. All releases between the two satisfy it. A pre-release does so only if a
//! comparator names a pre-release of the same `major.minor.patch`.

use std::cmp::Ordering;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// The comparators of one alternative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a>(&'a [Comparator]);

impl<'a> Bounds<'a> {
    pub(super) fn of(alternative: &'a VersionReq) -> Self {
        Self(&alternative.comparators)
    }

    /// Tells if a version is not above the interval. If it is not, no lower one is.
    pub(crate) fn ends_after(self, version: &Version) -> bool {
        self.0.iter().all(|bound| match bound.op {
            Op::Less => order(version, bound).is_lt(),
            Op::LessEq | Op::Exact => order(version, bound).is_le(),
            _ => true,
        })
    }

    /// Tells if a version is not below the interval. If it is not, no higher one is.
    pub(crate) fn begins_before(self, version: &Version) -> bool {
        self.0.iter().all(|bound| match bound.op {
            Op::Greater => order(version, bound).is_gt(),
            Op::GreaterEq | Op::Exact => order(version, bound).is_ge(),
            _ => true,
        })
    }

    /// Iterates over the releases whose pre-releases can be in the interval.
    pub(crate) fn with_prereleases(self) -> impl Iterator<Item = Version> {
        // `-0` is the lowest pre-release: none of the same release is below it.
        let has_some = |bound: &&Comparator| {
            let is_lowest = bound.op == Op::Less && bound.pre.as_str() == "0";
            !bound.pre.is_empty() && !is_lowest
        };
        self.0
            .iter()
            .filter(has_some)
            .map(|bound| Version { pre: Prerelease::EMPTY, ..whole(bound) })
    }
}

/// Compares by precedence: build metadata does not count.
fn order(version: &Version, bound: &Comparator) -> Ordering {
    version.cmp_precedence(&whole(bound))
}

/// Returns the version that a comparator names. [`super::Range`] has only complete ones.
fn whole(bound: &Comparator) -> Version {
    Version {
        major: bound.major,
        minor: bound.minor.unwrap_or_default(),
        patch: bound.patch.unwrap_or_default(),
        pre: bound.pre.clone(),
        build: BuildMetadata::EMPTY,
    }
}
