//! `slotctl tag list` and `slotctl tag show`: show tags.

use anyhow::Result;
use notice::printable;
use reconcile::compile::{Lost, Tag};
use reconcile::tag::TagTarget;
use serde_json::{Value, json};

use super::tags::{Tags, bare};
use crate::args::{ListArgs, ShowArgs};
use crate::read::tags::{Tagged, read_tags, standing};

/// Lists tags.
pub(super) fn list(context: &Tags<'_>, args: &ListArgs) -> Result<()> {
    let tags = read_tags(&context.repository, context.prefix(), args.component.as_ref())?;
    if let (Some(component), true) = (&args.component, tags.is_empty()) {
        return Err(context.unknown(component)?.into());
    }
    if tags.is_empty() {
        context.output.say(format_args!("There are no tags under {}/", context.prefix().as_str()));
        context.output.hint("slotctl tag create prompts/example v1.0.0, or git fetch --tags");
    }
    table(context, &tags)
}

/// Shows a component or one of its tags.
pub(super) fn show(context: &Tags<'_>, args: &ShowArgs) -> Result<()> {
    let tags = context.tags_of(&args.component)?;
    if tags.is_empty() {
        return Err(context.unknown(&args.component)?.into());
    }
    let Some(target) = &args.target else { return table(context, &tags) };
    let Some(found) = tags.iter().find(|tagged| tagged.tag.name.target == *target) else {
        let name = context.name(&args.component, target.clone());
        return Err(context.no_tag(&name, &tags)?.into());
    };
    let facts = Facts::of(found, &bare(&tags));
    let path = context.path(found);
    if context.common.json {
        let mut value = facts.value();
        if let Some(members) = value.as_object_mut() {
            members.insert("path".to_owned(), json!(path));
        }
        return context.answer(&value);
    }
    context.output.print(&facts.page(path.as_deref()))
}

fn table(context: &Tags<'_>, tags: &[Tagged]) -> Result<()> {
    let all: Vec<Facts<'_>> = by_component(tags)
        .flat_map(|of_one| {
            let bare = bare(of_one);
            of_one.iter().map(move |tagged| Facts::of(tagged, &bare))
        })
        .collect();
    if context.common.json {
        let tags: Vec<Value> = all.iter().map(Facts::value).collect();
        return context.answer(&json!({ "tags": tags }));
    }
    let rows: Vec<[String; 5]> = all.iter().map(Facts::row).collect();
    context.output.print(&aligned(&rows))
}

/// Groups sorted tags by component.
fn by_component(tags: &[Tagged]) -> impl Iterator<Item = &[Tagged]> {
    tags.chunk_by(|a, b| a.tag.name.component == b.tag.name.component)
}

fn aligned(rows: &[[String; 5]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3), 0];
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The facts about a tag.
struct Facts<'a> {
    tagged: &'a Tagged,
    version: Option<String>,
    lost: Option<Lost>,
}

impl<'a> Facts<'a> {
    /// Collects the facts about a tag among the tags of its component.
    fn of(tagged: &'a Tagged, tags: &[Tag]) -> Self {
        let standing = standing(tagged, tags);
        let version = standing.as_ref().map(|standing| standing.version.to_string());
        Self { tagged, version, lost: standing.and_then(|standing| standing.lost) }
    }

    /// Returns component, tag, version, time and author.
    fn row(&self) -> [String; 5] {
        let name = &self.tagged.tag.name;
        let version = match (&name.target, &self.version) {
            (TagTarget::Version(_), _) => self.commit().get(..10).unwrap_or("").to_owned(),
            (TagTarget::Slot(_), Some(version)) => format!("→ {}", shortened(version)),
            (TagTarget::Slot(_), None) => "cannot be read".to_owned(),
        };
        let (time, author) = self.stamp();
        [name.component.to_string(), name.target.to_string(), version, time, author]
    }

    fn commit(&self) -> &str {
        self.tagged.tag.target.as_ref().map_or("", |peeled| peeled.commit.id.as_str())
    }

    fn stamp(&self) -> (String, String) {
        let stamp = self.tagged.tag.target.as_ref().ok().map(reconcile::compile::Peeled::stamp);
        let text = |stamp: &reconcile::compile::Stamp| {
            (stamp.time.to_string(), printable(stamp.author.as_bytes()))
        };
        stamp.map(text).unwrap_or_default()
    }

    fn why(&self) -> &str {
        self.tagged.tag.target.as_ref().map_or("", |peeled| peeled.why())
    }

    fn value(&self) -> Value {
        let name = &self.tagged.tag.name;
        let (time, author) = self.stamp();
        let kind = match name.target {
            TagTarget::Version(_) => "version",
            TagTarget::Slot(_) => "slot",
        };
        json!({
            "tag": name.to_string(),
            "component": name.component,
            kind: name.target.to_string(),
            "standsOn": self.version,
            "commit": self.commit(),
            "date": time,
            "author": author,
            "why": self.why(),
        })
    }

    /// Returns all facts, one in each line.
    fn page(&self, path: Option<&str>) -> String {
        let (time, author) = self.stamp();
        let mut lines = vec![("tag", self.tagged.tag.name.to_string())];
        lines.extend(self.version.clone().map(|version| ("version", version)));
        if let Some(Lost { version, moved }) = &self.lost {
            let fate = if *moved { "moved" } else { "deleted" };
            lines.push(("note", format!("the tag of {version}, which it was set to, was {fate}")));
        }
        lines.push(("commit", self.commit().to_owned()));
        lines.extend(path.map(|path| ("file", printable(path.as_bytes()))));
        lines.push(("since", time));
        lines.push(("by", author));
        lines.push(("why", printable(self.why().as_bytes())));
        lines.iter().map(|(key, value)| format!("{key:<8} {value}\n")).collect()
    }
}

/// Returns a version unchanged, and a commit's id abbreviated.
fn shortened(version: &str) -> &str {
    match version.starts_with('v') {
        true => version,
        false => version.get(..10).unwrap_or(version),
    }
}
