//! The contents of `rollouts.toml`, and the mistakes in it.

use std::collections::BTreeMap;
use std::fmt;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// The file's name, at the root of the components repository.
pub const FILE: &str = "rollouts.toml";

/// The maximum number of slots in a split. The Worker parses them all for one request.
pub(super) const MAX_SPLIT: usize = 20;

/// The maximum number of segments of a slot.
pub(super) const MAX_SEGMENTS: usize = 100;

/// The contents of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The tables of the file, by component.
    pub components: BTreeMap<ComponentName, ComponentPolicy>,
}

/// The table of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentPolicy {
    /// The split of each slot's traffic.
    pub slots: BTreeMap<Slot, SlotPolicy>,
    /// The revoked versions, with the reasons.
    pub revoked: BTreeMap<Version, String>,
}

/// The split of one slot's traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotPolicy {
    /// The line of the slot's table, from 1.
    pub line: usize,
    /// Other slots with their shares in thousandths of a percent, in the order of the file. The
    /// slot's own version gets the rest.
    pub split: Vec<(Slot, u32)>,
    /// The split is an alias: the slot's own version gets no traffic.
    pub alias: bool,
    /// Groups of callers, with the slot that each gets.
    pub segments: BTreeMap<String, Slot>,
    /// `on-revoked = "gone"`: if the slot's version is revoked, it answers 410 in place of an
    /// earlier version.
    pub gone_if_revoked: bool,
}

/// The part of the policy that a mistake makes unknown, and that is therefore left unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MistakeScope {
    /// The whole file.
    File,
    /// Everything about this component.
    Component(ComponentName),
    /// The revocations of this component's versions.
    Revoked(ComponentName),
    /// The split of this slot.
    Slot(ComponentName, Slot),
    /// No existing slot, for example a table of a component that does not exist.
    #[default]
    Nothing,
}

/// A mistake in the file: its line, the problem and the correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The part of the policy that the mistake concerns.
    pub scope: MistakeScope,
    /// The problem.
    pub what: String,
    /// The action that solves it.
    pub help: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FILE}:{}: {}. {}", self.line, self.what, self.help)
    }
}

impl std::error::Error for PolicyError {}

impl From<&PolicyError> for Notice {
    fn from(error: &PolicyError) -> Self {
        let left = match &error.scope {
            MistakeScope::File => {
                ": until it is right, slots that share out their traffic, and revoked \
                            versions, stay as they are"
            }
            MistakeScope::Component(_) | MistakeScope::Slot(..) => ": the slot stays as it is",
            MistakeScope::Revoked(_) => ": what is revoked stays so",
            MistakeScope::Nothing => "",
        };
        Self {
            subject: format!("{FILE}:{}", error.line),
            what: printable(format!("{}{left}", error.what).as_bytes()),
            help: Some(printable(error.help.as_bytes())),
        }
    }
}

/// The valid part of the file, and the mistakes in the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReading {
    /// The valid part. A slot with a mistake has the valid part of its table.
    pub policy: Policy,
    /// All mistakes, in the order of the lines.
    pub errors: Vec<PolicyError>,
}

impl PolicyReading {
    /// Creates the result for a file that can't be read at all.
    pub fn unreadable(what: String, help: &str) -> Self {
        let error = PolicyError { line: 1, scope: MistakeScope::File, what, help: help.to_owned() };
        Self { policy: Policy::default(), errors: vec![error] }
    }

    /// Removes everything about other components than these.
    pub fn restrict(&mut self, names: &[ComponentName]) {
        self.policy.components.retain(|other, _| names.contains(other));
        self.errors.retain(|error| match &error.scope {
            MistakeScope::File => true,
            MistakeScope::Component(of) | MistakeScope::Revoked(of) | MistakeScope::Slot(of, _) => {
                names.contains(of)
            }
            MistakeScope::Nothing => false,
        });
    }
}

impl Policy {
    /// Returns the reason why a version was revoked, if it was.
    pub fn revoked(&self, name: &ComponentName, version: &Version) -> Option<&String> {
        self.components.get(name)?.revoked.get(version)
    }
}
