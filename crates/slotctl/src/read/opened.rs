//! Reads a repository in two steps: first its tags, then the contents of their files as far as
//! they are not known from elsewhere.

use std::path::Path;

use anyhow::Result;
use catalog::name::ComponentName;
use gix_hash::ObjectId;
use notice::{Notice, printable};
use reconcile::compile::{Compiled, Tag, WantedVersion, outline};
use reconcile::policy;
use reconcile::tag::{RefReading, TagName, read_ref};

use super::contents::read_contents;
use super::files::Finder;
use super::known::{Known, remember};
use super::model::{OnProgress, ReadPart, Reading};
use super::peel::Peeler;
use super::registries::Registries;
use super::rollouts::{self, Rollouts};
use super::state::{self, RepositoryState};
use super::store::ObjectCache;
use crate::source::{SharedSource, Source};
use git::objects::Objects;
use git::refs::{Ref, Refs};

/// A repository that was opened.
pub(crate) struct Opened<'a> {
    source: SharedSource,
    objects: Objects,
    peeler: Peeler,
    registries: Registries,
    part: ReadPart<'a>,
    /// The commit whose registry is used if a version's own commit does not have a registry.
    head: Option<ObjectId>,
    tags: Vec<Tag>,
    warnings: Vec<Notice>,
    rollouts: Rollouts,
    state: RepositoryState,
}

impl<'a> Opened<'a> {
    /// Opens a source without reading its tags.
    pub(crate) fn open(
        source: SharedSource,
        registry: Option<&Path>,
        part: ReadPart<'a>,
    ) -> Result<Self> {
        let repository = &source.repository;
        Ok(Self {
            objects: source.objects(),
            peeler: Peeler::new(repository.hash),
            registries: Registries::open(repository, registry)?,
            part,
            head: head(&source),
            source,
            tags: Vec::new(),
            warnings: Vec::new(),
            rollouts: Rollouts::default(),
            state: RepositoryState::default(),
        })
    }

    /// Uses tags that were read ahead.
    pub(crate) fn with_tags(mut self, peeler: Peeler) -> Self {
        self.peeler = peeler;
        self
    }

    /// Reads the names of the tags, and the commits to which they lead.
    pub(crate) fn read_tags(&mut self, progress: OnProgress<'_>) -> Result<()> {
        let Self { source, objects, peeler, part: ReadPart { only, rollouts }, .. } = self;
        let Refs { refs, broken } = &source.refs;
        let (mut named, mut warnings) = read_names(refs);
        warnings.extend(broken.iter().map(|name| broken_ref(name)));
        // The folder of a component also contains the tags of components below it.
        named.retain(|(name, _)| only.is_empty() || only.contains(&name.component));
        let ids = named.iter().map(|(_, id)| *id).chain(self.head);
        peeler.load(objects, ids.collect(), progress)?;
        let tag = |(name, id)| Tag { name, target: peeler.peel(id) };
        self.tags = named.into_iter().map(tag).collect();
        self.rollouts = rollouts.take().unwrap_or_else(|| rollouts::read(source, objects));
        self.state = RepositoryState::of(refs, &self.tags, &self.rollouts);
        warnings.extend(source.warnings.iter().cloned());
        warnings.extend(state::future(&self.tags, &self.rollouts));
        self.warnings = warnings;
        Ok(())
    }

    /// Returns the state of the repository that was read.
    pub(crate) fn state(&self) -> &RepositoryState {
        &self.state
    }

    /// Finds the files that the tags want, and reads their contents. Files that are `known` from
    /// KV are not read, and [`Reading::contents`] lacks them.
    pub(crate) fn read_files(
        self,
        known: Option<Known<'_>>,
        progress: OnProgress<'_>,
    ) -> Result<Reading> {
        let Self { source, mut objects, peeler, mut registries, mut rollouts, .. } = self;
        let repository = &source.repository;
        let (tags, head) = (self.tags, self.head);
        (registries.head, registries.tip) = (head.and_then(|head| peeler.tree_of(head)), head);
        let mut outline = outline(&tags);
        let (wanted, policy) = (&mut outline.wanted, &rollouts.reading.policy);
        let mut finder = Finder {
            objects: &mut objects,
            peeler: &peeler,
            registries: &mut registries,
            store: ObjectCache::default(),
            progress,
        };
        let mut files = remember(wanted, policy, known);
        let unknown: Vec<&WantedVersion> =
            wanted.iter().zip(&files).filter(|(_, file)| file.is_none()).map(|(w, _)| w).collect();
        let located = finder.locate_all(&unknown)?;
        // The trees need as much memory as all that is made of them.
        drop(finder);
        drop(peeler);
        let (read, contents) = read_contents(repository, &mut objects, located, progress)?;
        let mut read = read.into_iter();
        let files = files.drain(..).filter_map(|file| file.map(Ok).or_else(|| read.next()));

        let logic = std::mem::take(&mut outline.logic);
        let mut compiled = reconcile::compile::compile(outline, files, policy);
        let mut warnings = self.warnings;
        warnings.append(&mut compiled.warnings);
        warnings.append(&mut registries.warnings);
        warnings.append(&mut rollouts.warnings);
        warnings.sort();
        let refused = with_policy(&mut compiled, &mut rollouts, self.part.only);
        let broken: Vec<TagName> =
            source.refs.broken.iter().filter_map(|name| tag_name(name)).collect();
        compiled.desired.note_unserved(tags.iter().map(|tag| &tag.name).chain(&broken));
        let desired = compiled.desired;
        let head = repository.head().and_then(|head| head.to_string().parse().ok());
        Ok(Reading { source, desired, contents, warnings, refused, rollouts, logic, head })
    }
}

/// Returns the checked-out commit; if the refs are a remote's, the commit of its default branch:
/// a checkout in a clone says nothing about the repository.
fn head(source: &Source) -> Option<ObjectId> {
    match source.is_remote() {
        true => source.provenance.commit,
        false => source.repository.head(),
    }
}

fn tag_name(full_name: &[u8]) -> Option<TagName> {
    match read_ref(full_name) {
        RefReading::Tag(name) => Some(name),
        RefReading::Malformed(_) | RefReading::Ignored => None,
    }
}

/// Applies the policy to the compiled tags; returns everything that can't be served.
fn with_policy(
    compiled: &mut Compiled,
    rollouts: &mut Rollouts,
    only: &[ComponentName],
) -> Vec<Notice> {
    if !only.is_empty() {
        rollouts.reading.restrict(only);
    }
    let Compiled { desired, refused, .. } = compiled;
    let errors = policy::apply(&rollouts.reading, rollouts.change.as_ref(), desired);
    refused.sort();
    errors.iter().map(Notice::from).chain(refused.drain(..)).collect()
}

type Named = (TagName, ObjectId);

fn read_names(refs: &[Ref]) -> (Vec<Named>, Vec<Notice>) {
    let (mut named, mut malformed) = (Vec::with_capacity(refs.len()), Vec::new());
    for Ref { name, id } in refs {
        match read_ref(name) {
            RefReading::Tag(tag) => named.push((tag, *id)),
            RefReading::Malformed(tag) => malformed.push(tag),
            RefReading::Ignored => {}
        }
    }
    let names = || named.iter().map(|(name, _)| name);
    let notices = malformed.into_iter().map(|tag| tag.among(names())).collect();
    (named, notices)
}

fn broken_ref(full_name: &[u8]) -> Notice {
    Notice {
        subject: printable(full_name.strip_prefix(b"refs/tags/").unwrap_or(full_name)),
        what: "skipped: Git itself calls the ref broken".to_owned(),
        help: Some("delete it, or fetch it again: git fetch --tags --force".to_owned()),
    }
}
