//! `slotctl rollout plan`: shows the callers that would move if the `rollouts.toml` in the
//! work tree replaced the one of the default branch.

use anyhow::Result;
use notice::Notice;
use serde_json::{Value, json};

use super::file;
use super::moves::{self, SlotMoves};
use crate::args::RolloutPlanArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::offline;
use crate::read::{ReadPart, Rollouts};
use git::Repository;

/// Carries out the command.
pub(super) fn run(context: &Context<'_, RolloutPlanArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. The two states: the file of the default branch, and that of the work tree.
    let repository = Repository::open(&args.common.repo)?;
    let edited = Rollouts::with_text(&file::read(&file::path(&repository)?)?);
    let only = args.component.as_slice();
    let source = offline::source(&args.common, only, output)?;
    let counts = offline::read(&args.common, &source, ReadPart { only, rollouts: None })?;
    let edited = offline::read(&args.common, &source, ReadPart { only, rollouts: Some(edited) })?;
    if let Some(name) = args.component.as_ref().filter(|_| counts.desired.components.is_empty()) {
        offline::check_known(&repository, name)?;
    }
    let (before, _) = offline::records(&counts.desired)?;
    let (after, refused) = offline::records_after(&counts.desired, &edited.desired);
    // 2. The moves.
    let keys = args.keys.as_deref().map_or_else(|| Ok(moves::sample()), offline::keys)?;
    let moves = moves::compare(&before, &after, &keys)?;
    // 3. The output.
    let refused: Vec<&Notice> = edited.refused.iter().chain(&refused).collect();
    let exit = if refused.is_empty() { Exit::Done } else { Exit::Failed };
    match args.common.json {
        true => {
            let slots: Value = moves.iter().map(SlotMoves::value).collect();
            output.data(exit, &json!({ "slots": slots, "refused": refused }))?;
        }
        false => output.print(&moves.iter().map(SlotMoves::words).collect::<String>())?,
    }
    counts.rollouts.misnamed.iter().for_each(|notice| output.warning(notice));
    refused.iter().for_each(|notice| output.refusal(notice));
    if moves.is_empty() && !refused.is_empty() {
        output.say("no caller gets another version until the mistakes are corrected");
    } else if moves.is_empty() {
        let branch = counts.rollouts.branch.map_or("HEAD".to_owned(), |branch| branch.name);
        output
            .say(format_args!("no caller gets another version: the file equals that of {branch}"));
    }
    Ok(exit)
}
