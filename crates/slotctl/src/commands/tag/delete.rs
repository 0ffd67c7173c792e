//! `slotctl tag delete`: deletes a tag in this repository.

use anyhow::Result;
use catalog::version::Version;
use reconcile::compile::Tag;
use reconcile::tag::{TagName, TagTarget};
use serde_json::json;

use super::tags::{Tags, bare};
use crate::args::DeleteArgs;
use crate::read::tags::{Tagged, standing};
use notice::Refused;

/// Deletes a tag.
pub(super) fn delete(context: &Tags<'_>, args: &DeleteArgs) -> Result<()> {
    let name = context.name(&args.component, args.target.clone());
    let tags = context.tags_of(&args.component)?;
    let Some(found) = tags.iter().find(|tagged| tagged.tag.name == name) else {
        return Err(context.no_tag(&name, &tags)?.into());
    };
    if let (TagTarget::Version(version), false) = (&args.target, args.force) {
        return Err(is_version(&name, version, &tags).into());
    }
    let tag = name.to_string();
    git::write::delete_tag(&context.repository, &tag, found.id)?;
    git::seen::forget(&context.repository, &tag)?;
    context.output.say(format_args!("{tag}: deleted here (it was {})", found.id));
    let full = format!("refs/tags/{tag}");
    context.output.hint(format_args!(
        "on the remote: git push --force-with-lease={full}:{} origin :{full}",
        found.id
    ));
    context.answer(&json!({ "tag": tag, "was": found.id.to_string() }))
}

fn is_version(name: &TagName, version: &Version, tags: &[Tagged]) -> Refused {
    let bare = bare(tags);
    let slots: Vec<String> = tags.iter().filter_map(|tagged| on(tagged, version, &bare)).collect();
    let what = match slots.is_empty() {
        true => "is a version, which others may use and slots may be rolled back to".to_owned(),
        false => format!("is a version, and {} to it", stand(&slots)),
    };
    Refused::new(
        name.to_string(),
        what,
        "delete it with --force; to withdraw it, revoke it in rollouts.toml",
    )
}

/// Returns the slot, if it leads to the version.
fn on(tagged: &Tagged, version: &Version, tags: &[Tag]) -> Option<String> {
    let TagTarget::Slot(slot) = &tagged.tag.name.target else { return None };
    (standing(tagged, tags)?.version == *version).then(|| slot.to_string())
}

fn stand(slots: &[String]) -> String {
    match slots {
        [slot] => format!("{slot} points"),
        slots => format!("{} point", slots.join(", ")),
    }
}
