//! `slotctl push`: pushes commits and tags, all or none if the host supports that.
//!
//! The refs to push are compared with those of the remote. If one of them is refused, none is
//! pushed. Every tag is pushed with a lease, so that the remote itself refuses tags that
//! changed in between.

mod branch;
mod decide;
mod plan;
mod refusal;
mod reply;

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use catalog::name::ComponentName;
use gix_hash::ObjectId;
use notice::{Notice, printable};
use reconcile::tag::{Prefix, TagName};

use crate::args::PushArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::read::tags::read_tags;
use crate::remote::{limit, list_refs};
use git::Repository;
use git::network::Unanswered;
use git::remote::{PushRun, Pushed};
use plan::PushPlan;
use reply::PushReply;

/// Carries out the command.
pub(crate) fn run(context: &Context<'_, PushArgs>) -> Result<Exit> {
    let Context { args, output, .. } = *context;
    // 1. Find the branch and the remote.
    let repository = Repository::open(&args.repo)?;
    let branch = branch::current(&repository, args.tags, output)?;
    let remote = branch::remote(&repository, args.remote.as_deref(), branch.as_ref())?;
    // 2. Find the refs to push.
    let there = list_refs(&repository, &remote)?;
    let mut plan = PushPlan::default();
    if let Some(branch) = &branch {
        plan.branch = branch::plan(&repository, &remote, branch, &there)?;
    }
    if args.tags {
        let mut tags = read_tags(&repository, Prefix::Components, None)?;
        tags.extend(read_tags(&repository, Prefix::Logic, None)?);
        plan.add_tags(&repository, &remote, &there, &tags, args.force)?;
    }
    // 3. Refuse all, or push.
    plan.notes.iter().for_each(|note| output.warning(note));
    let mut ended = Ended { refused: std::mem::take(&mut plan.refused), ..Ended::default() };
    if ended.refused.is_empty() {
        ended = carry_out(&repository, &remote, &plan)?;
    }
    let refused = &ended.refused;
    // 4. Print the result.
    let exit = if refused.is_empty() { Exit::Done } else { Exit::Failed };
    refused.iter().for_each(|notice| output.refusal(notice));
    match exit {
        Exit::Done => tell(output, &remote, &plan),
        // The refusal says what is known.
        _ if ended.is_unknown => {}
        _ if ended.pushed == 0 => output.say("nothing was pushed"),
        _ => output.say(format_args!(
            "{} of {} pushed: {} does not push them all or none",
            ended.pushed,
            count(plan.pushed().len(), "ref"),
            printable(remote.as_bytes())
        )),
    }
    if args.json {
        output.data(exit, &plan.value(&remote, refused))?;
    }
    Ok(exit)
}

/// Returns the remote of a push that names none; `None` if the repository has no remote.
pub(super) fn remote(repository: &Repository) -> Result<Option<String>> {
    let branch = git::remote::current_branch(repository);
    match git::remote::names(repository)?.is_empty() {
        true => Ok(None),
        false => branch::remote(repository, None, branch.as_ref()).map(Some),
    }
}

/// Pushes these tags alone, slots with the lease of `push --tags --force`; returns the
/// refusals. `there` has the refs of the remote.
pub(super) fn push_tags(
    repository: &Repository,
    remote: &str,
    there: &HashMap<String, ObjectId>,
    names: &[TagName],
) -> Result<Vec<Notice>> {
    let wanted: BTreeSet<&TagName> = names.iter().collect();
    let components: BTreeSet<&ComponentName> = names.iter().map(|name| &name.component).collect();
    let mut tags = Vec::new();
    for component in components {
        tags.extend(read_tags(repository, Prefix::Components, Some(component))?);
    }
    tags.retain(|tagged| wanted.contains(&tagged.tag.name));
    let mut plan = PushPlan::default();
    plan.add_tags(repository, remote, there, &tags, true)?;
    match plan.refused.is_empty() {
        true => Ok(carry_out(repository, remote, &plan)?.refused),
        false => Ok(plan.refused),
    }
}

/// The number of refs in one push. A command line can have about two megabytes, and a ref needs
/// at most 700 bytes of it.
const TOGETHER: usize = 2_000;

/// The result of a push.
#[derive(Default)]
struct Ended {
    /// The refusals of the remote.
    refused: Vec<Notice>,
    /// The number of refs that were pushed.
    pushed: usize,
    /// True if the remote did not answer, so that other refs may have arrived.
    is_unknown: bool,
}

/// Pushes the refs of the plan, and notes those that the remote has after it.
fn carry_out(repository: &Repository, remote: &str, plan: &PushPlan) -> Result<Ended> {
    let mut ended = Ended::default();
    let (all, limit) = (plan.pushed(), limit()?);
    for refs in all.chunks(TOGETHER) {
        let upstream = plan.branch.as_ref().is_some_and(|branch| branch.upstream);
        let run = git::remote::push(repository, remote, refs, upstream, limit);
        let PushRun { ran, atomic } = match run {
            Ok(run) => run,
            Err(error @ Unanswered::Start(_)) => return Err(error.into()),
            Err(error) => {
                let notice = refusal::unanswered(remote, &error, ended.pushed, all.len());
                return Ok(Ended { refused: vec![notice], is_unknown: true, ..ended });
            }
        };
        let reply = PushReply::read(&ran);
        let is_pushed = |pushed: &&Pushed| ran.ok || !atomic && reply.took(&pushed.name);
        let pushed: Vec<Pushed> = refs.iter().filter(is_pushed).cloned().collect();
        git::seen::note_seen(repository, remote, &plan.now_there(&pushed))?;
        ended.pushed += pushed.len();
        if !ran.ok {
            ended.refused = reply.refusals(remote);
            return Ok(ended);
        }
    }
    git::seen::note_seen(repository, remote, &plan.same)?;
    Ok(ended)
}

fn tell(output: &Output, remote: &str, plan: &PushPlan) {
    let remote = printable(remote.as_bytes());
    if let Some(branch) = &plan.branch {
        output.say(format_args!("{}: {} → {remote}", branch.name, branch.what));
    }
    for change in &plan.tags {
        output.say(format_args!("{}", change.line()));
    }
    let pushed: Vec<Pushed> = plan.pushed();
    match pushed.is_empty() {
        true => output.say(format_args!("{remote} is already up to date")),
        false => output.say(format_args!("{} pushed to {remote}", count(pushed.len(), "ref"))),
    }
}
