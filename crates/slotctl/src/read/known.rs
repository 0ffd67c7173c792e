//! The versions that Workers KV already has, among those that Git's tags want.

use std::collections::BTreeSet;

use catalog::name::ComponentName;
use catalog::version::Version;
use reconcile::compile::{File, WantedVersion};
use reconcile::plan::{Actual, recorded_path};
use reconcile::policy::Policy;

/// The versions that Workers KV already has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The contents of Workers KV.
    pub(crate) actual: &'a Actual,
    /// True if files are read even if KV holds their content.
    pub(crate) read_all: bool,
    /// The versions that may change: their files are located as if KV did not know them.
    pub(crate) except: &'a BTreeSet<(ComponentName, Version)>,
}

/// An empty set of versions.
pub(crate) static NO_VERSIONS: BTreeSet<(ComponentName, Version)> = BTreeSet::new();

impl<'a> Known<'a> {
    /// Uses only the paths in `actual`: all files are read.
    pub(crate) fn paths(actual: &'a Actual) -> Self {
        Self { actual, read_all: true, except: &NO_VERSIONS }
    }

    /// Uses the contents in `actual`: only files whose content KV lacks are read.
    pub(crate) fn contents(actual: &'a Actual) -> Self {
        Self { read_all: false, ..Self::paths(actual) }
    }

    fn is_excepted(&self, wanted: &WantedVersion) -> bool {
        let of = |(name, version): &(_, _)| (name, version) == (&wanted.component, &wanted.version);
        self.except.iter().any(of)
    }
}

/// Returns the files that KV knows, and notes the recorded paths of the others.
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
