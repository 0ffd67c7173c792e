//! `slotctl hold`: lists and lifts the holds that keep slots from following Git.

mod lift;
mod list;

use anyhow::Result;
use reconcile::plan::{Held, Plan, liftable, way_out};

use crate::args::{HoldArgs, HoldCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Output;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, HoldArgs>) -> Result<Exit> {
    match &context.args.command {
        HoldCommand::List(args) => list::run(&context.with(args)),
        HoldCommand::Lift(args) => lift::run(&context.with(args)),
    }
}

/// Returns the command that lifts a hold, so that callers get what Git says; `None` if a
/// revocation forbids it.
pub(super) fn lift_command(held: &Held) -> Option<String> {
    let slot = liftable(held)?;
    Some(format!("slotctl hold lift {} {slot}", held.name))
}

/// Prints each slot that a hold keeps from following Git, with the commands that end the hold.
pub(super) fn tell_held(plan: &Plan, output: &Output) {
    for held in &plan.held {
        output.say(format_args!("drift: {held}"));
        output.hint(way_out(held));
        if let Some(lift) = lift_command(held) {
            output.hint(format_args!("or, to serve what Git says: {lift}"));
        }
    }
}
