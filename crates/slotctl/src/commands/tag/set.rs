//! `slotctl tag set`: deploys, promotes and rolls back by moving a slot.

use anyhow::{Result, anyhow};
use catalog::slot::Slot;
use catalog::version::Version;
use gix_hash::ObjectId;
use notice::{Notice, printable};
use reconcile::source::path::RepoPath;
use reconcile::source::trailer;
use reconcile::tag::{TagName, TagTarget};
use serde_json::json;

use super::tags::{Tags, bare, message, short};
use crate::args::SetArgs;
use crate::nearest::{nearest, probably};
use crate::read::tags::{Tagged, standing};
use notice::Refused;

/// The new target of a slot.
struct Goal {
    /// The version's tag object, or the commit.
    id: ObjectId,
    /// The version, or the abbreviated commit id.
    shown: String,
    /// True for a commit, whose file was not looked for yet.
    commit: bool,
}

/// The result of moving a slot.
pub(super) struct MovedSlot {
    /// The version of the slot before; `None` if the slot is new.
    before: Option<Version>,
    /// The version of the slot now.
    after: Option<Version>,
    /// True if the slot was moved at all.
    moved: bool,
}

/// Sets a slot.
pub(super) fn set(context: &Tags<'_>, args: &SetArgs) -> Result<()> {
    let MovedSlot { before, after, moved } = move_slot(context, args)?;
    if moved {
        context.output.hint("slotctl push --tags --force");
    }
    let name = context.name(&args.component, TagTarget::Slot(args.slot.clone()));
    answer(context, &name, before.as_ref(), after.as_ref())
}

/// Moves a slot's tag, and prints the result.
pub(super) fn move_slot(context: &Tags<'_>, args: &SetArgs) -> Result<MovedSlot> {
    // 1. Find the present and the new target.
    let name = context.name(&args.component, TagTarget::Slot(args.slot.clone()));
    let tags = context.tags_of(&args.component)?;
    let now = tags.iter().find(|tagged| tagged.tag.name == name);
    let goal = goal(context, args, &tags)?;
    let before = now.and_then(|now| standing(now, &bare(&tags))).map(|now| now.version);
    if now.is_some_and(|now| leads_to(now, goal.id)) {
        context.output.say(format_args!("{name}: is {} already", goal.shown));
        return Ok(MovedSlot { after: before.clone(), before, moved: false });
    }
    if now.is_none() {
        warn_of_new_slot(context, &name, &tags);
    }
    // 2. Note the refs of the remotes, so that a push undoes no move of others.
    let text = text(context, args, &name, &goal)?;
    let tag = name.to_string();
    git::seen::note_before_move(&context.repository, &tag, now.map(|now| now.id))?;
    // 3. Move the tag.
    git::write::make_tag(&context.repository, &tag, goal.id, &text, true)?;
    let tags = context.tags_of(&args.component)?;
    let now = tags.iter().find(|tagged| tagged.tag.name == name);
    let now = now.ok_or_else(|| anyhow!("{name}: git made no such tag"))?;
    git::seen::note_move(&context.repository, &tag, now.id)?;
    // 4. Print the result.
    let after = standing(now, &bare(&tags)).map(|now| now.version);
    let from = before.as_ref().map_or("new".to_owned(), Version::to_string);
    let to = after.as_ref().map_or(goal.shown.clone(), Version::to_string);
    context.output.say(format_args!("{name}: {from} → {to}"));
    if !goal.commit && to != goal.shown {
        context.output.warning(&other_version(&name, &goal.shown, &to));
    }
    Ok(MovedSlot { before, after, moved: true })
}

/// Returns the refusal of a slot with another version than the wanted one. A slot is a tag of its
/// version's tag, or of the commit if that tag is lightweight.
fn other_version(name: &TagName, wanted: &str, is: &str) -> Notice {
    Notice {
        subject: name.to_string(),
        what: format!(
            "points to {is}: the tag of {wanted} is lightweight, and {is} is at its commit too"
        ),
        help: Some("make versions with `slotctl tag create`, one for each commit".to_owned()),
    }
}

fn answer(
    context: &Tags<'_>,
    name: &TagName,
    from: Option<&Version>,
    to: Option<&Version>,
) -> Result<()> {
    context.answer(&json!({
        "tag": name.to_string(),
        "component": name.component,
        "slot": name.target.to_string(),
        "from": from,
        "to": to,
    }))
}

/// Finds the target: a version of the component, else one of its slots, else any commit.
fn goal(context: &Tags<'_>, args: &SetArgs, tags: &[Tagged]) -> Result<Goal> {
    if let Ok(version @ Version::Release(_)) = args.to.parse::<Version>() {
        return version_goal(context, args, &version, tags);
    }
    if let Ok(slot) = args.to.parse::<Slot>()
        && let Some(goal) = slot_goal(&slot, tags)
    {
        return Ok(goal);
    }
    let id = context.commit(&args.to).map_err(|error| mistyped(args, tags).unwrap_or(error))?;
    Ok(Goal { id, shown: short(id), commit: true })
}

/// Returns the refusal of a version or slot that was probably mistyped.
fn mistyped(args: &SetArgs, tags: &[Tagged]) -> Option<anyhow::Error> {
    let SetArgs { component, slot, to, .. } = args;
    let targets: Vec<String> =
        tags.iter().map(|tagged| tagged.tag.name.target.to_string()).collect();
    let near = nearest(to, targets.iter().map(String::as_str))?;
    let help = format!("did you mean {near}? slotctl tag set {component} {slot} {near}");
    let what = "the component has no such version or slot, and the repository no such commit";
    Some(Refused::new(printable(to.as_bytes()), what, help).into())
}

/// Warns of a new slot whose name is a typing error away from that of another slot of the
/// component.
fn warn_of_new_slot(context: &Tags<'_>, name: &TagName, tags: &[Tagged]) {
    let others: Vec<String> = tags
        .iter()
        .filter(|tagged| matches!(tagged.tag.name.target, TagTarget::Slot(_)))
        .map(|tagged| tagged.tag.name.target.to_string())
        .collect();
    let (component, slot) = (&name.component, name.target.to_string());
    let Some(near) = probably(&slot, others.iter().map(String::as_str)) else { return };
    context.output.warning(&Notice {
        subject: format!("{component}@{slot}"),
        what: format!("is a new slot; the component has {near} already"),
        help: Some(format!("if you meant that one: slotctl tag delete {component} {slot}")),
    });
}

fn version_goal(
    context: &Tags<'_>,
    args: &SetArgs,
    version: &Version,
    tags: &[Tagged],
) -> Result<Goal> {
    if tags.is_empty()
        && let Some(near) = context.nearest(&args.component)?
    {
        let (slot, what) = (&args.slot, "the component has no versions");
        let help = format!("did you mean {near}? slotctl tag set {near} {slot} {version}");
        return Err(Refused::new(args.component.to_string(), what, help).into());
    }
    let found = version_tag(version, tags).ok_or_else(|| {
        let (component, to) = (&args.component, notice::printable(args.to.as_bytes()));
        let help = format!(
            "make it: slotctl tag create {component} {version}; or fetch it: git fetch --tags; \
             for the commit of another tag of that name: refs/tags/{to}"
        );
        Refused::new(format!("{component}@{version}"), there_are(tags), help)
    })?;
    match &found.tag.target {
        Ok(_) => Ok(Goal { id: found.id, shown: version.to_string(), commit: false }),
        Err(why) => Err(anyhow!("{}: its tag leads to no commit: {why:?}", found.tag.name)),
    }
}

fn there_are(tags: &[Tagged]) -> String {
    let versions = tags.iter().rev().filter_map(|tagged| match &tagged.tag.name.target {
        TagTarget::Version(version) => Some(version.to_string()),
        TagTarget::Slot(_) => None,
    });
    let versions: Vec<String> = versions.take(5).collect();
    match versions.is_empty() {
        true => "the component has no versions".to_owned(),
        false => format!("the component has no such version; it has {}", versions.join(", ")),
    }
}

fn version_tag<'a>(version: &Version, tags: &'a [Tagged]) -> Option<&'a Tagged> {
    let same = |tagged: &&Tagged| match &tagged.tag.name.target {
        TagTarget::Version(found) => found == version,
        TagTarget::Slot(_) => false,
    };
    tags.iter().find(same)
}

/// Returns the present target of another slot: its version's tag, or its commit.
fn slot_goal(slot: &Slot, tags: &[Tagged]) -> Option<Goal> {
    let target = TagTarget::Slot(slot.clone());
    let found = tags.iter().find(|tagged| tagged.tag.name.target == target)?;
    let peeled = found.tag.target.as_ref().ok()?;
    let version = standing(found, &bare(tags))?.version;
    if let Some(tag) = version_tag(&version, tags) {
        return Some(Goal { id: tag.id, shown: version.to_string(), commit: false });
    }
    let id = ObjectId::from_hex(peeled.commit.id.as_str().as_bytes()).ok()?;
    Some(Goal { id, shown: short(id), commit: true })
}

/// Tells if a slot's tag already leads directly to the target.
fn leads_to(now: &Tagged, goal: ObjectId) -> bool {
    let Ok(peeled) = &now.tag.target else { return false };
    let mut chain = peeled.chain.iter().skip(1);
    match chain.next() {
        Some(inner) => inner.id == reconcile::compile::ObjectId::from_bytes(goal.as_slice()),
        None => ObjectId::from_hex(peeled.commit.id.as_str().as_bytes()).is_ok_and(|id| id == goal),
    }
}

/// Returns the tag's message. For a commit it contains the path of the component's file.
fn text(context: &Tags<'_>, args: &SetArgs, name: &TagName, goal: &Goal) -> Result<String> {
    let text = message(&args.file, format!("Set {} to {}", args.slot, goal.shown))?;
    if !goal.commit {
        return Ok(text);
    }
    let file = context.file(name, &args.file, goal.id)?;
    let path = RepoPath::parse(file.path.as_bytes())?;
    trailer::message(&text, &path)
        .ok_or_else(|| anyhow!("{name}: a trailer cannot hold the path '{path}'; rename the file"))
}
