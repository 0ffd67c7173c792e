//! The second step: the records, after the files were found.

use std::collections::BTreeMap;

use super::outline::{ComponentOutline, Outline, SlotDraft};
use super::tags::Stamp;
use super::wanted::{File, WantedVersion, version_record};
use crate::desired::{Desired, DesiredComponent, DesiredSlot};
use crate::policy::Policy;
use crate::source::{FileProblem, Grade};
use crate::tag::{self, Prefix, TagName, TagTarget};
use catalog::name::ComponentName;
use catalog::record::{MAX_VALUE, VersionRecord};
use catalog::slot::Slot;
use catalog::version::Version;
use notice::Notice;

/// The result of compiling the tags and the files.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// The state that Workers KV should have.
    pub desired: Desired,
    /// Tags that were skipped, and decisions that the owner may not expect.
    pub warnings: Vec<Notice>,
    /// Versions and slots that should be served and can't be.
    pub refused: Vec<Notice>,
}

type Problems = BTreeMap<(ComponentName, Version), FileProblem>;

/// Compiles the records; `files` are the files of [`Outline::wanted`], in its order. Only the
/// revocations of the policy are used: `latest` skips revoked versions.
pub fn compile(
    outline: Outline,
    files: impl IntoIterator<Item = Result<File, FileProblem>>,
    policy: &Policy,
) -> Compiled {
    let mut compiled =
        Compiled { warnings: outline.warnings, refused: outline.refused, ..Compiled::default() };
    let mut components: BTreeMap<ComponentName, DesiredComponent> = BTreeMap::new();
    let mut problems = Problems::new();
    for (wanted, file) in outline.wanted.into_iter().zip(files) {
        match file.and_then(within_limit) {
            Ok(file) => {
                let component = components.entry(wanted.component.clone()).or_default();
                let revoked = policy.revoked(&wanted.component, &wanted.version).cloned();
                let record = VersionRecord { revoked, ..version_record(&wanted, file) };
                component.versions.insert(wanted.version, record);
            }
            Err(problem) => compiled.note_version(wanted, problem, &mut problems),
        }
    }
    for (name, draft) in outline.drafts {
        let component = components.entry(name.clone()).or_default();
        compiled.add_slots(&name, draft, component, &problems);
    }
    components.retain(|_, component| !component.versions.is_empty());
    compiled.desired = Desired { components, ..Desired::default() };
    compiled
}

/// Returns the problem of a slot without a file whose name has a version in it, in the form of a
/// release tool.
fn joined(
    name: &ComponentName,
    slot: &Slot,
    version: &Version,
    problem: &FileProblem,
) -> Option<FileProblem> {
    if problem.grade == Grade::Incomplete || !matches!(version, Version::Commit(_)) {
        return None;
    }
    let (what, help) = tag::joined_slot(name, slot)?;
    Some(FileProblem { what, help, grade: problem.grade })
}

fn within_limit(file: File) -> Result<File, FileProblem> {
    match file.size > MAX_VALUE {
        true => Err(FileProblem::too_large(&file.path, file.size)),
        false => Ok(file),
    }
}

impl Compiled {
    fn note(&mut self, subject: String, problem: FileProblem) {
        let FileProblem { what, help, .. } = problem;
        self.refused.push(Notice { subject, what, help });
    }

    /// Notes the reason why a version has no record. A pinned commit has no tag of its own: its
    /// slots are reported instead.
    fn note_version(
        &mut self,
        wanted: WantedVersion,
        problem: FileProblem,
        problems: &mut Problems,
    ) {
        let WantedVersion { component, version, .. } = wanted;
        if version.semver().is_some() {
            let target = TagTarget::Version(version.clone());
            self.note(subject(&component, target), problem.clone());
        }
        problems.insert((component, version), problem);
    }

    fn add_slots(
        &mut self,
        name: &ComponentName,
        draft: ComponentOutline,
        component: &mut DesiredComponent,
        problems: &Problems,
    ) {
        component.tagged_latest = draft.tagged_latest;
        if !draft.tagged_latest {
            self.add_latest(name, &draft, component, problems);
        }
        for SlotDraft { slot, version, stamp, why, tag } in draft.slots {
            if component.versions.contains_key(&version) {
                let Stamp { author, time } = stamp;
                let wanted = DesiredSlot { version, author, time, why, tag: Some(tag) };
                component.slots.insert(slot, wanted);
            } else if let Some(problem) = problems.get(&(name.clone(), version.clone())) {
                let problem = joined(name, &slot, &version, problem)
                    .unwrap_or_else(|| on_problem(&version, problem));
                self.note(subject(name, TagTarget::Slot(slot)), problem);
            }
        }
    }

    /// Adds the slot `latest`: the highest version that is neither a pre-release nor revoked.
    ///
    /// If this clone lacks a higher version, `latest` is not added: an incomplete clone must
    /// not move it back.
    fn add_latest(
        &mut self,
        name: &ComponentName,
        draft: &ComponentOutline,
        component: &mut DesiredComponent,
        problems: &Problems,
    ) {
        let stable = |(version, record): &(&Version, &VersionRecord)| {
            version.is_stable() && record.revoked.is_none()
        };
        let latest = component.versions.iter().rev().find(stable).map(|(version, _)| version);
        if let Some(unknown) =
            highest_unknown(name, draft, problems).filter(|v| Some(v) > latest.as_ref())
        {
            let what = format!("left as it is: {unknown} is the latest and could not be read");
            let help = Some("sync from a complete clone".to_owned());
            let subject = subject(name, TagTarget::Slot(Slot::latest()));
            return self.refused.push(Notice { subject, what, help });
        }
        let Some((version, stamp)) = latest.and_then(|v| Some((v, draft.stamps.get(v)?))) else {
            return;
        };
        let (version, author, time) = (version.clone(), stamp.author.clone(), stamp.time);
        let why = "latest release".to_owned();
        let latest = DesiredSlot { version, author, time, why, tag: None };
        component.slots.insert(Slot::latest(), latest);
    }
}

/// Returns the highest release whose commit or content this clone lacks.
fn highest_unknown<'a>(
    name: &ComponentName,
    draft: &'a ComponentOutline,
    problems: &Problems,
) -> Option<&'a Version> {
    let incomplete = |version: &&Version| {
        let problem = problems.get(&(name.clone(), (*version).clone()));
        problem.is_some_and(|problem| problem.grade == Grade::Incomplete)
    };
    let without_content = draft.stamps.keys().filter(incomplete);
    without_content.chain(&draft.unknown).filter(|version| version.is_stable()).max()
}

/// Returns the problem of a slot whose version has no record.
fn on_problem(version: &Version, problem: &FileProblem) -> FileProblem {
    match version {
        Version::Commit(_) => problem.clone(),
        Version::Release(_) => FileProblem {
            what: format!("it points to {version}, which cannot be served"),
            help: Some(format!(
                "see the message about {version}, or set the slot to another version"
            )),
            grade: problem.grade,
        },
    }
}

fn subject(component: &ComponentName, target: TagTarget) -> String {
    TagName { prefix: Prefix::Components, component: component.clone(), target }.to_string()
}
