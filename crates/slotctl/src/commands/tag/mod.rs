//! `slotctl tag`: manages the tags of components with the user's own Git.

mod create;
mod delete;
mod set;
mod show;
mod tags;

use anyhow::Result;
use git::Repository;

use crate::args::{SetArgs, TagArgs, TagCommand};
use crate::context::Context;
use crate::exit::Exit;
use tags::Tags;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, TagArgs>) -> Result<Exit> {
    let (_, common) = context.args.command.common();
    let tags = Tags::open(common, context.output)?;
    match &context.args.command {
        TagCommand::Create(args) => create::create(&tags, args),
        TagCommand::Bump(args) => create::bump(&tags, args),
        TagCommand::Set(args) => set::set(&tags, args),
        TagCommand::List(args) => show::list(&tags, args),
        TagCommand::Show(args) => show::show(&tags, args),
        TagCommand::Delete(args) => delete::delete(&tags, args),
    }?;
    Ok(Exit::Done)
}

/// Moves a slot's tag as `tag set` does, for another command.
pub(super) fn move_slot(repository: &Repository, context: &Context<'_, SetArgs>) -> Result<()> {
    let (repository, common) = (repository.clone(), &context.args.common);
    let tags = Tags { common, repository, output: context.output };
    set::move_slot(&tags, context.args).map(drop)
}
