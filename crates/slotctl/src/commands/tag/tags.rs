//! The tags that the commands use.

use anyhow::{Context as _, Result, anyhow};
use catalog::name::ComponentName;
use git::Repository;
use gix_hash::ObjectId;
use notice::{Refused, printable};
use reconcile::compile::Tag;
use reconcile::source::path::RepoPath;
use reconcile::source::{FileProblem, Located, is_alike};
use reconcile::tag::{Prefix, TagName, TagTarget};
use serde_json::Value;

use crate::args::{CommonArgs, FileArgs};
use crate::exit::Exit;
use crate::nearest::nearest;
use crate::output::Output;
use crate::quote::quoted;
use crate::read::tags::{FileOf, Tagged, find_file, nearest_component, read_tags};

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

    /// Returns the component that was probably meant by one without tags.
    pub(super) fn nearest(&self, component: &ComponentName) -> Result<Option<ComponentName>> {
        nearest_component(&self.repository, self.prefix(), component)
    }

    /// Returns the refusal of a component without tags.
    pub(super) fn unknown(&self, component: &ComponentName) -> Result<Refused> {
        let what = format!("no tag under {}/ names it", self.prefix().as_str());
        let help = match self.nearest(component)? {
            Some(near) => format!("did you mean {near}? slotctl tag list {near}"),
            None => format!("slotctl tag create {component} v1.0.0"),
        };
        Ok(Refused::new(component.to_string(), what, help))
    }

    /// Returns the refusal of a tag that the component does not have.
    pub(super) fn no_tag(&self, name: &TagName, tags: &[Tagged]) -> Result<Refused> {
        let component = &name.component;
        if tags.is_empty() {
            return self.unknown(component);
        }
        let targets: Vec<String> =
            tags.iter().map(|tagged| tagged.tag.name.target.to_string()).collect();
        let target = name.target.to_string();
        let help = match nearest(&target, targets.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}? slotctl tag show {component} {near}"),
            None => format!("list the tags: slotctl tag list {component}"),
        };
        Ok(Refused::new(format!("{component}@{target}"), "this repository has no such tag", help))
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
        let nothing = FileArgs { path: None, registry: None, message: None, allow_dirty: false };
        self.locate(&found.tag.name, &nothing, commit).ok().map(|located| located.path)
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

    /// Returns the file of the commit that was probably meant by a path, quoted for a shell.
    fn nearest_path(&self, path: Option<&str>, commit: ObjectId) -> Option<String> {
        let printed = ["ls-tree", "-r", "--full-tree", "--name-only", "-z", &commit.to_string()];
        let printed = path.and_then(|_| self.repository.git.run(&printed).ok())?;
        let files = printed.split(|byte| *byte == 0).filter_map(|file| str::from_utf8(file).ok());
        let (path, mut alike) = (path?, files.clone());
        alike.find(|file| is_alike(file, path)).or_else(|| nearest(path, files)).map(quoted)
    }

    /// Finds the component's file in a commit that is to be tagged. Refuses a file that does not
    /// exist, and, at HEAD, one with changes that are not committed.
    pub(super) fn file(
        &self,
        subject: &TagName,
        args: &FileArgs,
        commit: ObjectId,
    ) -> Result<Located<ObjectId>> {
        let file = self.locate(subject, args, commit)?;
        if !args.allow_dirty && self.repository.head() == Some(commit) {
            self.check_committed(subject, &file.path)?;
        }
        Ok(file)
    }

    /// Refuses a file with changes that are not committed: the tag would not have them. Other
    /// files may have changes.
    fn check_committed(&self, subject: &TagName, path: &str) -> Result<()> {
        if self.repository.work_tree.is_none() {
            return Ok(());
        }
        let is_clean = git::changes::is_clean(&self.repository.git, path)
            .map_err(|error| error.explain(std::path::Path::new(path)))?;
        if is_clean {
            return Ok(());
        }
        let path = printable(path.as_bytes());
        let what = format!(
            "{path} has changes that are not committed: {} would not have them",
            subject.target
        );
        let help = "commit them first; or, if the tag is meant without them: --allow-dirty";
        Err(Refused::new(subject.to_string(), what, help).into())
    }

    /// Finds the component's file in a commit; refused if it does not exist.
    fn locate(
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
            let near = self.nearest_path(args.path.as_deref(), commit);
            let otherwise = help.unwrap_or_default();
            let help = match (near, path.is_none().then(|| self.nearest(component))) {
                (Some(near), _) => format!("did you mean --path {near}?"),
                (None, Some(Ok(Some(near)))) => {
                    format!("did you mean {near}? slotctl tag list {near}")
                }
                _ => format!("commit the file first, or {}", way(&otherwise)),
            };
            let what = format!("{what} (commit {})", short(commit));
            Refused::new(subject.to_string(), what, help).into()
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
