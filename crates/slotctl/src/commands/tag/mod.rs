//! `slotctl tag`: the tags of components, made with the user's own Git.

mod create;
mod delete;
mod set;
mod show;

use anyhow::{Context as _, Result};
use catalog::name::ComponentName;
use gix_hash::ObjectId;
use notice::printable;
use reconcile::compile::Tag;
use reconcile::source::path::RepoPath;
use reconcile::source::{Located, Problem};
use reconcile::tag::{Prefix, TagName, TagTarget};
use serde_json::Value;

use crate::args::{CommonArgs, FileArgs, SetArgs, TagArgs, TagCommand};
use crate::exit::{self, Exit};
use crate::output::Output;
use crate::read::tags::{FileOf, Tagged, find_file, read_tags};
use git::Repository;
use notice::Refused;

/// Carries out the command.
pub(crate) fn run(args: &TagArgs, output: &Output) -> Result<Exit> {
    let (name, common) = args.command.common();
    let ended = Context::open(name, common, output).and_then(|context| context.run(args));
    if let (Err(error), true) = (&ended, common.json) {
        output.data(&exit::failure(name, error))?;
    }
    ended.map(|()| Exit::Done)
}

/// Moves a slot's tag as `tag set` does, for another command.
pub(super) fn move_slot(repository: &Repository, args: &SetArgs, output: &Output) -> Result<()> {
    let (repository, common) = (repository.clone(), &args.common);
    let context = Context { command: "tag set", common, repository, output };
    set::move_slot(&context, args).map(drop)
}

/// What every one of the commands works with.
struct Context<'a> {
    command: &'static str,
    common: &'a CommonArgs,
    repository: Repository,
    output: &'a Output,
}

impl<'a> Context<'a> {
    fn open(command: &'static str, common: &'a CommonArgs, output: &'a Output) -> Result<Self> {
        Ok(Self { command, common, repository: Repository::open(&common.repo)?, output })
    }

    fn run(&self, args: &TagArgs) -> Result<()> {
        match &args.command {
            TagCommand::Create(args) => create::create(self, args),
            TagCommand::Bump(args) => create::bump(self, args),
            TagCommand::Set(args) => set::set(self, args),
            TagCommand::List(args) => show::list(self, args),
            TagCommand::Show(args) => show::show(self, args),
            TagCommand::Delete(args) => delete::delete(self, args),
        }
    }

    fn prefix(&self) -> Prefix {
        self.common.prefix
    }

    fn name(&self, component: &ComponentName, target: TagTarget) -> TagName {
        TagName { prefix: self.prefix(), component: component.clone(), target }
    }

    /// The tags of a component.
    fn tags_of(&self, component: &ComponentName) -> Result<Vec<Tagged>> {
        read_tags(&self.repository, self.prefix(), Some(component))
    }

    /// The result, for machines.
    fn answer(&self, mut value: Value) -> Result<()> {
        if !self.common.json {
            return Ok(());
        }
        if let Some(members) = value.as_object_mut() {
            members.insert("command".to_owned(), self.command.into());
            members.insert("exit".to_owned(), Exit::Done.code().into());
        }
        self.output.data(&value)
    }

    /// The commit that a word of the command line names.
    fn commit(&self, text: &str) -> Result<ObjectId> {
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

    /// The component's file in a commit; refused if there is none.
    fn file(
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
        find_file(&self.repository, file, commit)?.map_err(|Problem { what, help, .. }| {
            let commit = short(commit);
            let otherwise = help.unwrap_or_default();
            let help = format!("commit the file first, or {}", way(&otherwise));
            Refused::new(subject.to_string(), format!("{what} (commit {commit})"), help).into()
        })
    }
}

/// What `sync` advises for a tag that exists, for one that is about to be made.
fn way(help: &str) -> &str {
    match help.starts_with("name its file: a line") {
        true => "name it: --path <path>, or an entry in a registry (--registry FILE)",
        false => help,
    }
}

/// An id as people say it.
fn short(id: ObjectId) -> String {
    id.to_hex_with_len(10).to_string()
}

/// The tags by themselves.
fn bare(tags: &[Tagged]) -> Vec<Tag> {
    tags.iter().map(|tagged| tagged.tag.clone()).collect()
}

/// The message that the user gave, or the usual one; never an empty one.
fn message(args: &FileArgs, usual: String) -> Result<String> {
    match args.message.as_deref().map(str::trim) {
        None => Ok(usual),
        Some("") => Err(anyhow::anyhow!("the message is empty")).context("--message"),
        Some(message) => Ok(message.to_owned()),
    }
}
