//! `slotctl tag create` and `slotctl tag bump`: create versions.

use anyhow::{Context as _, Result, anyhow};
use catalog::version::{Part, Version, next_version};
use gix_hash::ObjectId;
use reconcile::source::trailer;
use reconcile::tag::{TagName, TagTarget};
use serde_json::json;

use super::tags::{Tags, message, short};
use crate::args::{BumpArgs, CreateArgs, FileArgs};
use crate::read::tags::Tagged;
use notice::{Notice, Refused};

/// Creates a version.
pub(super) fn create(context: &Tags<'_>, args: &CreateArgs) -> Result<()> {
    let name = context.name(&args.component, TagTarget::Version(args.version.clone()));
    let tags = context.tags_of(&args.component)?;
    make(context, &name, &tags, (&args.commit, &args.file))
}

/// Creates the version after the highest.
pub(super) fn bump(context: &Tags<'_>, args: &BumpArgs) -> Result<()> {
    let tags = context.tags_of(&args.component)?;
    let highest = versions(&tags).max();
    let next =
        next_version(highest, args.part).context("the version's number is the largest there is")?;
    let name = context.name(&args.component, TagTarget::Version(next));
    let from = highest.map_or("the first version".to_owned(), |highest| format!("after {highest}"));
    context.output.say(format_args!("{}: {} ({from})", args.component, name.target));
    make(context, &name, &tags, (&args.commit, &args.file))
}

/// Returns the versions that have a tag.
fn versions(tags: &[Tagged]) -> impl Iterator<Item = &Version> {
    tags.iter().filter_map(|tagged| match &tagged.tag.name.target {
        TagTarget::Version(version) => Some(version),
        TagTarget::Slot(_) => None,
    })
}

fn make(
    context: &Tags<'_>,
    name: &TagName,
    tags: &[Tagged],
    (commit, args): (&str, &FileArgs),
) -> Result<()> {
    // 1. Refuse a version that exists: versions never change.
    if let Some(there) = tags.iter().find(|tagged| tagged.tag.name == *name) {
        return Err(exists(name, there, tags).into());
    }
    // 2. Find the file in the commit.
    let commit = context.commit(commit)?;
    let file = context.file(name, args, commit)?;
    // 3. Create the tag, with the file's path in its message.
    let message = message(args, format!("Release {} {}", name.component, name.target))?;
    let path = reconcile::source::path::RepoPath::parse(file.path.as_bytes())?;
    let message = trailer::message(&message, &path).ok_or_else(|| {
        anyhow!("{name}: a trailer cannot hold the path '{path}'; rename the file")
    })?;
    git::write::make_tag(&context.repository, &name.to_string(), commit, &message, false)?;
    if tags.is_empty() {
        warn_of_new_component(context, name)?;
    }
    report(context, name, &file.path, commit)
}

/// Warns of a new component whose name is a typing error away from that of another one.
fn warn_of_new_component(context: &Tags<'_>, name: &TagName) -> Result<()> {
    let Some(near) = context.nearest(&name.component)? else { return Ok(()) };
    context.output.warning(&Notice {
        subject: name.component.to_string(),
        what: format!("is a new component; {near} exists already"),
        help: Some(format!(
            "if you meant that one: slotctl tag delete {} {} --force",
            name.component, name.target
        )),
    });
    Ok(())
}

fn report(context: &Tags<'_>, name: &TagName, path: &str, commit: ObjectId) -> Result<()> {
    let shown = notice::printable(path.as_bytes());
    context.output.say(format_args!("{name}: {shown} at {}", short(commit)));
    context.output.hint("slotctl push --tags");
    context.answer(&json!({
        "tag": name.to_string(),
        "component": name.component,
        "version": name.target.to_string(),
        "commit": commit.to_string(),
        "path": path,
    }))
}

fn exists(name: &TagName, there: &Tagged, tags: &[Tagged]) -> Refused {
    let at = match &there.tag.target {
        Ok(peeled) => {
            let stamp = peeled.stamp();
            let id = peeled.commit.id.as_str();
            let id = id.get(..10).unwrap_or(id);
            format!(": commit {id}, by {} at {}", stamp.author, stamp.time)
        }
        Err(_) => String::new(),
    };
    let next = next_version(versions(tags).max(), Part::Patch);
    let free = next.map_or(String::new(), |next| format!("; the next one is {next}"));
    let help = format!(
        "versions never change; create another one: `slotctl tag bump {} patch`{free}",
        name.component
    );
    Refused::new(name.to_string(), format!("already exists{at}"), help)
}
