//! The hold of a slot in Workers KV: while it is in force, callers get what KV has, not what Git
//! says.

use anyhow::{Context as _, Result};
use catalog::key::Key;
use catalog::record::{self, Hold, SlotRecord};
use notice::Notice;
use serde::Serialize;

use crate::args::ExplainArgs;
use crate::context::Context;
use crate::output::Output;
use crate::target::has_token;

const NOT_NAMED: &str = "name it with `--env` or `--local`";

/// What is known of the slot's hold.
pub(super) enum HoldState {
    /// Workers KV could not be asked, for this reason.
    Unknown(String),
    /// The slot is not on hold.
    Free,
    /// The slot is on hold: its record in KV.
    Held(Box<SlotRecord>),
}

impl HoldState {
    /// Asks Workers KV, if the command line names a target or the environment has a token.
    /// A login of wrangler does not count: reading it would take longer than the explanation.
    ///
    /// # Errors
    ///
    /// If the command line names a target, and it could not be asked.
    pub(super) fn ask(context: &Context<'_, ExplainArgs>) -> Result<Self> {
        let is_named = context.args.target.is_given();
        if !is_named && !has_token() {
            return Ok(Self::Unknown(NOT_NAMED.to_owned()));
        }
        match read(context) {
            Ok(Some(record)) => Ok(Self::Held(Box::new(record))),
            Ok(None) => Ok(Self::Free),
            Err(error) if is_named => Err(error),
            Err(error) => Ok(Self::Unknown(format!("{error:#}"))),
        }
    }

    /// Returns the record by which callers get a version, given the one that Git says.
    pub(super) fn served<'a>(&'a self, by_git: &'a SlotRecord) -> &'a SlotRecord {
        match self {
            Self::Held(record) => record,
            Self::Unknown(_) | Self::Free => by_git,
        }
    }

    /// Says that the slot is on hold, or that it is not known.
    pub(super) fn tell(&self, args: &ExplainArgs, output: &Output) {
        match self {
            Self::Free => {}
            Self::Unknown(why) => {
                output.say(format_args!("Workers KV was not asked for a hold of the slot: {why}"));
            }
            Self::Held(record) => output.warning(&notice(args, record)),
        }
    }

    /// Returns the members of `--json`.
    pub(super) fn members(&self) -> HoldMembers<'_> {
        let (hold_known, hold) = match self {
            Self::Held(record) => (true, record.hold.as_ref()),
            Self::Free => (true, None),
            Self::Unknown(_) => (false, None),
        };
        HoldMembers { hold_known, hold }
    }
}

/// The members of `--json` about the hold.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HoldMembers<'a> {
    hold_known: bool,
    hold: Option<&'a Hold>,
}

/// Reads the slot's record; returns `None` if it does not exist or is not on hold.
fn read(context: &Context<'_, ExplainArgs>) -> Result<Option<SlotRecord>> {
    let args = context.args;
    let target = context.target(&args.target)?;
    let key = Key::Slot(args.component.clone(), args.slot.clone());
    let mut read = None;
    context.session(&target).store.read(std::slice::from_ref(&key), |_, value| {
        read = value.map(record::parse::<SlotRecord>);
    })?;
    let record = read.transpose().with_context(|| format!("the record {key} cannot be used"))?;
    Ok(record.filter(|record| record.hold.is_some()))
}

fn notice(args: &ExplainArgs, record: &SlotRecord) -> Notice {
    let why =
        record.holds().map(|Hold { reason, by, at, .. }| format!("{reason}, by {by} at {at}"));
    let why = why.collect::<Vec<_>>().join("; ");
    Notice {
        subject: format!("{}@{}", args.component, args.slot),
        what: format!("is on hold ({why}): callers get what Workers KV has, not what Git says"),
        help: Some(format!("`slotctl hold list --only {}` shows what ends it", args.component)),
    }
}
