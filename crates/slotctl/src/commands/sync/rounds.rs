//! The rounds of a sync: each lists KV, makes a plan from Git and carries it out. Another
//! round follows if another sync changed KV meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use catalog::digest::Digest;
use reconcile::plan::{Options, Plan};

use super::apply::Apply;
use super::concurrency::{Announcement, ConcurrentRun, Conflict};
use super::order::Lead;
use super::outcome::SyncOutcome;
use super::{refusal, repair, show};
use crate::args::SyncArgs;
use crate::context::Session;
use crate::output::count;
use crate::read::{Known, Reading};
use crate::session::{self, GitReader, KvListing};
use crate::source::{Asking, Certainty, SharedSource};
use notice::Refused;

/// The largest number of rounds before the sync gives up because KV keeps changing.
const ROUNDS: usize = 5;

/// The inputs of a round.
pub(super) struct Rounds<'a> {
    pub(super) session: &'a Session<'a, SyncArgs>,
    pub(super) options: &'a Options,
}

impl Rounds<'_> {
    /// Carries out rounds, at most [`ROUNDS`], until one ends without a conflict or fails.
    /// `listing` is the listing of KV from before this run announced itself. Returns the last
    /// round's reading and plan. An error while a plan is carried out is stored in the
    /// outcome, beside what was done until then.
    pub(super) fn run(
        &self,
        git: GitReader<'_>,
        listing: KvListing,
        run: &mut ConcurrentRun<'_>,
        outcome: &mut SyncOutcome,
    ) -> Result<(Reading, Plan)> {
        let (mut rounds, state) = (ROUNDS, git.state().digest);
        let source = Arc::clone(git.source());
        let (mut git, mut listing) = (Some(git), Some(listing));
        loop {
            rounds -= 1;
            // Other runs that may still write must know of this run before KV is listed.
            let may_announce = run.is_contested() && !self.session.args.dry_run;
            if may_announce && run.newer()?.is_none() {
                run.announce(Announcement::Start)?;
                listing = None;
            }
            let (reading, plan) = self.plan(git.take(), listing.take(), &source, state)?;
            let ended = self.carry_out(&reading, &plan, run, outcome);
            if !matches!(ended, Ok(Conflict::None)) {
                let back = self.put_back(run);
                // The first error is the reason.
                ended.as_ref().map_or(Ok(()), |_| back)?;
            }
            if matches!(ended, Ok(Conflict::KvChanged)) && rounds > 0 {
                self.session.output.say("       KV was changed meanwhile: looking again");
                continue;
            }
            outcome.is_outdated = matches!(ended, Ok(Conflict::GitChanged));
            outcome.error = match ended {
                Ok(Conflict::None) => None,
                Ok(Conflict::GitChanged) => Some(refusal::changed()),
                Ok(Conflict::KvChanged) => Some(restless()),
                Err(error) => Some(error),
            };
            return Ok((reading, plan));
        }
    }

    /// Reads KV and Git, unless `listing` and `git` are given, makes a plan and shows it.
    fn plan(
        &self,
        git: Option<GitReader<'_>>,
        listing: Option<KvListing>,
        source: &SharedSource,
        state: Digest,
    ) -> Result<(Reading, Plan)> {
        // 1. The keys and records in KV.
        let only = &self.session.args.part.only;
        let list = || KvListing::of(self.session, only);
        let mut listing = listing.map_or_else(list, Ok)?;
        let damaged = match self.session.args.repair {
            true => repair::examine(self.session, &mut listing.actual)?,
            false => BTreeSet::new(),
        };
        // 2. The files in Git. The copies for `--layout` need their contents too.
        let read_all = self.session.args.layout.is_some();
        let except = &self.options.allow_changed;
        let known = Some(Known { actual: &listing.actual, read_all, except });
        let git = git.map_or_else(|| self.read_tags_again(source, state), Ok)?;
        let reading = git.read_files(known, self.session.output)?;
        listing.tell(self.session);
        session::refuse_unknown(only, &reading, &listing.actual)?;
        // 3. The plan.
        let mut plan =
            session::plan(&reading.desired, listing.actual, &self.session.store, self.options)?;
        repair::refuse_unrepaired(damaged, &mut plan);
        show::plan(self.session.output, &reading, &plan);
        Ok((reading, plan))
    }

    /// Writes the slots of concurrent rollbacks again, before the next round or the end.
    fn put_back(&self, run: &mut ConcurrentRun<'_>) -> Result<()> {
        let back = run.put_back()?;
        if back > 0 {
            let slots = count(back, "slot");
            self.session
                .output
                .say(format_args!("       {slots} restored to their rolled-back version"));
        }
        Ok(())
    }

    /// Reads the tags again, for files that KV had and may have lost. If the refs came from a
    /// remote, its first answer is used again.
    fn read_tags_again(&self, source: &SharedSource, state: Digest) -> Result<GitReader<'_>> {
        let Session { args, output, .. } = *self.session;
        let (args, only) = (&args.common, args.part.only.as_slice());
        let git = match source.is_remote() {
            true => GitReader::read_tags_of(args, only, Arc::clone(source), output)?,
            false => GitReader::read_tags(&Asking::open(args, only, Certainty::Needed)?, output)?,
        };
        match git.state().digest == state {
            true => Ok(git),
            false => Err(refusal::changed()),
        }
    }

    fn carry_out(
        &self,
        reading: &Reading,
        plan: &Plan,
        run: &mut ConcurrentRun<'_>,
        outcome: &mut SyncOutcome,
    ) -> Result<Conflict> {
        if let Some(notice) = &plan.blocked {
            return Err(Refused(notice.clone()).into());
        }
        if !plan.is_empty()
            && let Some((newer, lead)) = run.newer()?
        {
            return match lead {
                Lead::Changed => Ok(Conflict::GitChanged),
                lead => Err(refusal::stale(&newer, &lead)),
            };
        }
        if self.session.args.dry_run || plan.is_empty() && !run.is_known() && !run.is_newest()? {
            return Ok(Conflict::None);
        }
        let apply = Apply { session: self.session, plan, reading };
        let conflict = apply.run(run, outcome)?;
        if conflict == Conflict::None {
            run.replace_others()?;
        }
        Ok(conflict)
    }
}

fn restless() -> anyhow::Error {
    let what = "other syncs kept changing KV while this one wrote: what they and this one wrote \
                may be mixed";
    Refused::new("conflict", what, "run one sync at a time, then run this command again").into()
}
