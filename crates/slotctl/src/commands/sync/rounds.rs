//! From what Git says to KV as it should be: looked at, planned and carried out, and
//! again where another sync changed KV meanwhile.

use anyhow::Result;
use catalog::plan::{Options, Plan};

use super::apply::Apply;
use super::turn::{self, News, Turn};
use super::{Outcome, show};
use crate::args::SyncArgs;
use crate::exit::Refused;
use crate::live;
use crate::output::{Output, count};
use crate::read::Reading;
use crate::store::Store;
use crate::target::Target;

/// So often is KV looked at anew before it is left to whoever changes it.
const ROUNDS: usize = 5;

/// What a round needs.
pub(super) struct Rounds<'a> {
    pub(super) args: &'a SyncArgs,
    pub(super) target: &'a Target,
    pub(super) store: &'a Store<'a>,
    pub(super) reading: &'a Reading,
    pub(super) options: &'a Options,
    pub(super) output: &'a Output,
}

impl Rounds<'_> {
    /// Returns the last round's plan; what stopped it, if anything did, is in the
    /// outcome beside what was done until then.
    pub(super) fn run(&self, turn: &mut Turn<'_>, outcome: &mut Outcome) -> Result<Plan> {
        let mut rounds = ROUNDS;
        loop {
            rounds -= 1;
            // 1. Whoever may still write has to know of this run before KV is listed.
            if turn.is_contested() && turn.newer().is_none() && !self.args.dry_run {
                turn.claim()?;
            }
            // 2. What KV holds.
            let only = &self.args.only;
            let actual = live::list_kv(self.target, self.store, only, self.output)?;
            live::refuse_unknown(only, self.reading, &actual)?;
            // 3. The plan.
            let plan = live::plan(&self.reading.desired, actual, self.store, self.options)?;
            // 4. Shown.
            show::plan(self.output, self.reading, &plan);
            // 5. Carried out, or not.
            let ended = self.carry_out(&plan, turn, outcome);
            if matches!(ended, Ok(News::LookAgain)) && rounds > 0 {
                self.output.say("       KV was changed meanwhile: looking again");
                let back = turn.put_back()?;
                if back > 0 {
                    let slots = count(back, "slot");
                    self.output.say(format_args!("       {slots} put back that were rolled back"));
                }
                continue;
            }
            outcome.error = match ended {
                Ok(News::None) => None,
                Ok(News::LookAgain) => Some(restless()),
                Err(error) => Some(error),
            };
            return Ok(plan);
        }
    }

    fn carry_out(&self, plan: &Plan, turn: &mut Turn<'_>, outcome: &mut Outcome) -> Result<News> {
        if let Some(notice) = &plan.blocked {
            return Err(Refused(notice.clone()).into());
        }
        if let (Some(newer), false) = (turn.newer(), plan.is_empty()) {
            return Err(turn::stale(newer));
        }
        let idle = plan.is_empty() && !turn.is_claimed() && !turn.is_newest();
        if self.args.dry_run || idle {
            return Ok(News::None);
        }
        let Self { args, store, reading, output, .. } = self;
        let (repo, now) = (args.common.repo.as_path(), self.options.now);
        let apply = Apply { plan, reading, repo, store, output, now };
        let news = apply.run(turn, outcome)?;
        if news == News::None {
            turn.end()?;
        }
        Ok(news)
    }
}

fn restless() -> anyhow::Error {
    let what = "other syncs kept changing KV while this one wrote: what they and this one wrote \
                may be mixed";
    Refused::new("conflict", what, "let one sync run at a time, then run this again").into()
}
