//! The tags that the commands use.

use anyhow::{Context as _, Result, anyhow};
use catalog::name::ComponentName;
use git::Repository;
use gix_hash::ObjectId;
use notice::{Refused, printable};
use reconcile::compile::Tag;
use reconcile::source::path::RepoPath;
use reconcile::source::{FileProblem, Located};
use reconcile::tag::{Prefix, TagName, TagTarget};
use serde_json::Value;

use crate::args::{CommonArgs, FileArgs};
use crate::exit::Exit;
use crate::output::Output;
use crate::read::tags::{FileOf, Tagged, find_file, read_tags};

/// Everything that each of the commands uses.
pub(super) struct Tags<'a> {
    pub(super) common: &'a CommonArgs,
    pub(super) repository: Repository,
    pub(super) output: &'a Output,
}

impl<'a> Tags<'a> {
    pub(super) fn open(common: &'a CommonArgs, output: &'a Output) -> Result<Self> {
        Ok(Self { common, repository: Repository::open(&common.repo)?, output })
    }

    pub(super) fn prefix(&self) -> Prefix {
        self.common.prefix
    }

    pub(super) fn name(&self, component: &ComponentName, target: TagTarget) -> TagName {
        TagName { prefix: self.prefix(), component: component.clone(), target }
    }

    /// Reads the tags of a component.
    pub(super) fn tags_of(&self, component: &ComponentName) -> Result<Vec<Tagged>> {
        read_tags(&self.repository, self.prefix(), Some(component))
    }

    /// Writes the result as JSON if `--json` is set.
    pub(super) fn answer(&self, value: &Value) -> Result<()> {
        match self.common.json {
            true => self.output.data(Exit::Done, value),
            false => Ok(()),
        }
    }

    /// Returns the path of a tag's file, if the tag can be read and the file is found.
    pub(super) fn path(&self, found: &Tagged) -> Option<String> {
        let peeled = found.tag.target.as_ref().ok()?;
        if let Some(Ok(path)) = peeled.trailer() {
            return Some(path.as_str().to_owned());
        }
        let commit = self.repository.commit(peeled.commit.id.as_str())?;
        let nothing = FileArgs { path: None, registry: None, message: None };
        self.file(&found.tag.name, &nothing, commit).ok().map(|located| located.path)
    }

    /// Returns the commit that an argument of the command line names.
    pub(super) fn commit(&self, text: &str) -> Result<ObjectId> {
        self.repository.commit(text).ok_or_else(|| {
            let (what, help) = match text {
                "HEAD" => {
                    ("there is no commit yet", "commit the component's file first: git commit")
                }
                _ => (
                    "no commit of this repository",
                    "name a commit, a branch or a tag; git fetch brings those of others",
                ),
            };
            Refused::new(printable(text.as_bytes()), what, help).into()
        })
    }

    /// Finds the component's file in a commit; refused if it does not exist.
    pub(super) fn file(
        &self,
        subject: &TagName,
        args: &FileArgs,
        commit: ObjectId,
    ) -> Result<Located<ObjectId>> {
        let path = args.path.as_deref().map(|path| RepoPath::parse(path.as_bytes())).transpose();
        let path = path.map_err(|error| {
            Refused::new(subject.to_string(), error.to_string(), "name a file with --path")
        })?;
        let registry = args.registry.as_deref();
        let component = &subject.component;
        let file = FileOf { prefix: subject.prefix, component, path: path.as_ref(), registry };
        find_file(&self.repository, file, commit)?.map_err(|FileProblem { what, help, .. }| {
            let commit = short(commit);
            let otherwise = help.unwrap_or_default();
            let help = format!("commit the file first, or {}", way(&otherwise));
            Refused::new(subject.to_string(), format!("{what} (commit {commit})"), help).into()
        })
    }
}

/// Converts the advice of `sync` about an existing tag to advice about a new tag.
fn way(help: &str) -> &str {
    match help.starts_with("name its file: a line") {
        true => "name it: --path <path>, or an entry in a registry (--registry FILE)",
        false => help,
    }
}

/// Returns an abbreviated id: its first 10 digits.
pub(super) fn short(id: ObjectId) -> String {
    id.to_hex_with_len(10).to_string()
}

/// Returns the tags without their object ids.
pub(super) fn bare(tags: &[Tagged]) -> Vec<Tag> {
    tags.iter().map(|tagged| tagged.tag.clone()).collect()
}

/// Returns the message that the user gave, or the usual one; never an empty one.
pub(super) fn message(args: &FileArgs, usual: String) -> Result<String> {
    match args.message.as_deref().map(str::trim) {
        None => Ok(usual),
        Some("") => Err(anyhow!("the message is empty")).context("--message"),
        Some(message) => Ok(message.to_owned()),
    }
}
