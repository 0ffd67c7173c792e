//! Partial versions, which may leave out trailing parts, and the comparators they expand to
//! after each operator.

use semver::{Comparator, Op, Prerelease};

use crate::version::MAX_NUMBER;

/// A version that may leave out trailing parts.
pub(super) struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
    /// True if at most one `v` precedes the version, as in a complete version.
    plain: bool,
}

/// Major, minor and patch number.
type Triple = (u64, u64, u64);

fn comparator(op: Op, (major, minor, patch): Triple, pre: Prerelease) -> Option<Comparator> {
    let bounded = [major, minor, patch].iter().all(|number| *number <= MAX_NUMBER);
    bounded.then_some(Comparator { op, major, minor: Some(minor), patch: Some(patch), pre })
}

/// Returns `-0`, which is below every other pre-release, so that `<2.0.0-0` excludes those of
/// 2.0.0.
fn lowest_pre() -> Prerelease {
    Prerelease::new("0").unwrap_or(Prerelease::EMPTY)
}

fn at_least(triple: Triple, pre: &Prerelease) -> Option<Comparator> {
    comparator(Op::GreaterEq, triple, pre.clone())
}

fn below(triple: Triple) -> Option<Comparator> {
    comparator(Op::Less, triple, lowest_pre())
}

/// Returns a comparator that no version satisfies.
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
    /// Parses node-semver's `XRANGEPLAIN`, with build metadata already removed.
    pub(super) fn parse(text: &str) -> Option<Self> {
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
        let empty_pre = pre.as_ref().is_some_and(semver::Prerelease::is_empty);
        if whole > 3 || empty_pre || (pre.is_some() && whole < 3) {
            return None;
        }
        Some(Self { major, minor, patch, pre: pre.unwrap_or(Prerelease::EMPTY), plain })
    }

    /// Returns the lowest version in it: open parts are 0. A pre-release counts only after a
    /// complete version.
    fn lowest(&self) -> (Triple, Prerelease) {
        let (major, minor) = (self.major.unwrap_or(0), self.minor.unwrap_or(0));
        match (self.minor, self.patch) {
            (Some(_), Some(patch)) => ((major, minor, patch), self.pre.clone()),
            _ => ((major, minor, 0), Prerelease::EMPTY),
        }
    }

    /// Returns the first version above it, or `None` if it includes every version.
    fn next(&self) -> Option<Triple> {
        Some(match (self.major?, self.minor, self.patch) {
            (major, None, _) => (major + 1, 0, 0),
            (major, Some(minor), None) => (major, minor + 1, 0),
            (major, Some(minor), Some(patch)) => (major, minor, patch + 1),
        })
    }

    /// Tells if no open part precedes a number: `1.x.3` is not an x-range, although npm accepts
    /// it after `^`, `~` and in a hyphen range.
    pub(super) fn is_ordered(&self) -> bool {
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

    /// Expands `^`: versions that keep the leftmost non-zero number.
    pub(super) fn caret(&self) -> Option<Vec<Comparator>> {
        let Some(major) = self.major else { return Some(Vec::new()) };
        let bound = match (major, self.minor, self.patch) {
            (0, Some(0), Some(patch)) => (0, 0, patch + 1),
            (0, Some(minor), _) => (0, minor + 1, 0),
            _ => (major + 1, 0, 0),
        };
        self.lowest_to(bound)
    }

    /// Expands `~`: versions with other patch numbers, or other minor numbers if no minor is
    /// given.
    pub(super) fn tilde(&self) -> Option<Vec<Comparator>> {
        match (self.major, self.minor) {
            (None, _) => Some(Vec::new()),
            (Some(major), None) => self.lowest_to((major + 1, 0, 0)),
            (Some(major), Some(minor)) => self.lowest_to((major, minor + 1, 0)),
        }
    }

    /// Expands a comparator or an x-range. `op` is `""`, `=`, `<`, `<=`, `>` or `>=`.
    pub(super) fn compared(&self, op: &str) -> Option<Vec<Comparator>> {
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

    /// Expands the upper end of a hyphen range, which is included.
    pub(super) fn up_to(&self) -> Option<Vec<Comparator>> {
        match (self.major, self.pre.is_empty()) {
            (None, _) => Some(Vec::new()),
            (Some(_), true) => self.compared("<="),
            // npm writes the pre-release again here and so loses the part before it.
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

    /// Expands the lower end of a hyphen range.
    pub(super) fn from(&self) -> Option<Vec<Comparator>> {
        if self.major.is_none() { Some(Vec::new()) } else { self.compared(">=") }
    }
}
