//! The contents of `rollouts.toml`, and the mistakes in it.

use std::collections::BTreeMap;
use std::fmt;

use catalog::name::ComponentName;
use catalog::slot::Slot;
use catalog::version::Version;
use notice::{Notice, printable};

/// The file's name, at the root of the components repository.
pub const FILE: &str = "rollouts.toml";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// By component.
    pub components: BTreeMap<ComponentName, ComponentPolicy>,
}

/// What the file says of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentPolicy {
    /// How slots share out their traffic.
    pub slots: BTreeMap<Slot, SlotPolicy>,
    /// Withdrawn versions and why.
    pub revoked: BTreeMap<Version, String>,
}

/// How a slot shares out its traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotPolicy {
    /// The line that says so, from 1.
    pub line: usize,
    /// Other slots with their shares in thousandths of a percent, in the order of
    /// the file; the slot's own version gets the rest.
    pub split: Vec<(Slot, u32)>,
    /// The split is an alias: the slot's own version has no part in it.
    pub alias: bool,
    /// Groups of callers and the slot that each gets.
    pub segments: BTreeMap<String, Slot>,
    /// `on-revoked = "gone"`: if its version is revoked, the slot answers 410 in place of
    /// an earlier version.
    pub gone_if_revoked: bool,
}

/// What a mistake in the file keeps from being known, and so from being changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MistakeScope {
    /// All of it.
    File,
    /// All that it says of this component.
    Component(ComponentName),
    /// Which of the component's versions are revoked.
    Revoked(ComponentName),
    /// How this slot shares out its traffic.
    Slot(ComponentName, Slot),
    /// Nothing of a slot that there is: a table of no component, say.
    #[default]
    Nothing,
}

/// A mistake in the file: where it is, what it is and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// What it concerns.
    pub scope: MistakeScope,
    /// What is wrong.
    pub what: String,
    /// What to do.
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

/// What could be read of the file, and the mistakes in the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReading {
    /// What it says. A slot with a mistake has what could be read of its table.
    pub policy: Policy,
    /// Every mistake, in the order of the lines.
    pub errors: Vec<PolicyError>,
}

impl PolicyReading {
    /// A file that can't be read at all.
    pub fn unreadable(what: String, help: &str) -> Self {
        let error = PolicyError { line: 1, scope: MistakeScope::File, what, help: help.to_owned() };
        Self { policy: Policy::default(), errors: vec![error] }
    }

    /// Forgets what is said of other components than these.
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
    /// Why a version was withdrawn, if it was.
    pub fn revoked(&self, name: &ComponentName, version: &Version) -> Option<&String> {
        self.components.get(name)?.revoked.get(version)
    }
}
