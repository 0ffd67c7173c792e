//! What Workers KV knows of the versions that Git's tags want.

use std::collections::BTreeSet;

use catalog::name::ComponentName;
use catalog::version::Version;
use reconcile::compile::{File, WantedVersion};
use reconcile::plan::{Actual, recorded_path};
use reconcile::policy::Policy;

/// What Workers KV knows of the versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// What it holds.
    pub(crate) actual: &'a Actual,
    /// Whether files are read whose content it holds.
    pub(crate) read_all: bool,
    /// The versions that may change, whose files are located as if it did not know them.
    pub(crate) except: &'a BTreeSet<(ComponentName, Version)>,
}

/// No versions.
pub(crate) static NO_VERSIONS: BTreeSet<(ComponentName, Version)> = BTreeSet::new();

impl<'a> Known<'a> {
    /// What `actual` has, of files that are all read.
    pub(crate) fn paths(actual: &'a Actual) -> Self {
        Self { actual, read_all: true, except: &NO_VERSIONS }
    }

    /// What `actual` has, of files that are read only if KV lacks their content.
    pub(crate) fn contents(actual: &'a Actual) -> Self {
        Self { read_all: false, ..Self::paths(actual) }
    }

    fn is_excepted(&self, wanted: &WantedVersion) -> bool {
        let of = |(name, version): &(_, _)| (name, version) == (&wanted.component, &wanted.version);
        self.except.iter().any(of)
    }
}

/// The files that KV knows, and the recorded paths of the others.
pub(super) fn remember(
    wanted: &mut [WantedVersion],
    policy: &Policy,
    known: Option<Known<'_>>,
) -> Vec<Option<File>> {
    let remember = |wanted: &mut WantedVersion| {
        let known = known.filter(|known| !known.is_excepted(wanted))?;
        let WantedVersion { component, version, commit, .. } = &*wanted;
        let metadata = known.actual.known(component, version).filter(|_| !known.read_all);
        let revoked = policy.revoked(component, version);
        let file = metadata.and_then(|metadata| File::remembered(wanted, metadata, revoked));
        if file.is_none() {
            wanted.recorded = recorded_path(known.actual, component, version, &commit.id);
        }
        file
    };
    wanted.iter_mut().map(remember).collect()
}
