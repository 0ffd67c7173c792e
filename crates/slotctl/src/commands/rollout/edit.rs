//! Edits `rollouts.toml` and keeps its comments and its order.

use anyhow::{Context as _, Result};
use catalog::name::ComponentName;
use catalog::slot::Slot;
use reconcile::policy::FILE;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::nearest::nearest;
use notice::Refused;

/// A change of a slot's table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TrafficEdit {
    /// Gives a slot a share of the callers, in percent.
    Share(Slot, f64),
    /// Gives a slot the callers of a segment.
    Segment(String, Slot),
    /// Gives a slot all callers.
    Alias(Slot),
    /// Removes an arm from the split.
    StopArm(Slot),
    /// Removes a segment.
    StopSegment(String),
    /// Empties the table of a slot with a version of its own: all callers get that version.
    Stop,
    /// Removes the table.
    Remove,
}

/// Returns the file's text after a change.
pub(super) fn edit(
    text: &str,
    name: &ComponentName,
    slot: &Slot,
    change: &TrafficEdit,
) -> Result<String> {
    let mut document = parsed(text)?;
    match change {
        TrafficEdit::Stop => stop(&mut document, name, slot)?,
        TrafficEdit::Remove => remove(&mut document, name, slot)?,
        TrafficEdit::StopArm(arm) => take_out(&mut document, name, slot, "split", arm.as_str())?,
        TrafficEdit::StopSegment(group) => take_out(&mut document, name, slot, "segments", group)?,
        TrafficEdit::Alias(to) => {
            let table = table(&mut document, name, slot)?;
            table.remove("split");
            set(table, "alias", to.as_str().into());
        }
        TrafficEdit::Share(to, percent) => {
            let table = table(&mut document, name, slot)?;
            table.remove("alias");
            put(table, "split", (to.as_str(), number(*percent)), || {
                not_a_table(name, slot, "split")
            })?;
        }
        TrafficEdit::Segment(group, to) => {
            let table = table(&mut document, name, slot)?;
            let segment = (group.as_str(), to.as_str().into());
            put(table, "segments", segment, || not_a_table(name, slot, "segments"))?;
        }
    }
    Ok(document.to_string())
}

/// Tells if a change stops everything in the slot's table, or its only arm.
pub(super) fn ends_routing(
    text: &str,
    name: &ComponentName,
    slot: &Slot,
    change: &TrafficEdit,
) -> Result<bool> {
    let TrafficEdit::StopArm(arm) = change else { return Ok(*change == TrafficEdit::Stop) };
    let document = parsed(text)?;
    let table = document.get(name.as_str()).and_then(|component| component.get(slot.as_str()));
    let members = |list| table?.get(list)?.as_table_like();
    let is_only = |split: &dyn TableLike| split.len() == 1 && split.contains_key(arm.as_str());
    Ok(members("split").is_some_and(is_only) && members("segments").is_none_or(TableLike::is_empty))
}

fn parsed(text: &str) -> Result<DocumentMut> {
    text.parse().with_context(|| format!("{FILE} is not TOML: mend it by hand first"))
}

/// Formats a share as people write it: `10`, not `10.0`.
fn number(percent: f64) -> Value {
    match percent.fract() == 0.0 && percent.abs() < 1e9 {
        true => Value::from(percent as i64),
        false => Value::from(percent),
    }
}

/// Replaces a value and keeps its place and the comments around it. Adds the value at the end
/// if the table does not have the key.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(key, Item::Value(value))),
    }
}

fn not_a_table(name: &ComponentName, slot: &Slot, what: &str) -> anyhow::Error {
    Refused::new(FILE, format!("{what} of {name}@{slot} is not a table"), "mend it by hand first")
        .into()
}

/// Returns the slot's table. Creates it if it is missing: below the component's table, or as
/// `["<type>/<name>".<slot>]` at the end of the file if the component has no table.
fn table<'a>(
    document: &'a mut DocumentMut,
    name: &ComponentName,
    slot: &Slot,
) -> Result<&'a mut dyn TableLike> {
    let component = document.entry(name.as_str()).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let component =
        component.as_table_like_mut().ok_or_else(|| not_a_table(name, slot, "the component"))?;
    if !component.contains_key(slot.as_str()) {
        component.insert(slot.as_str(), Item::Table(Table::new()));
    }
    let table = component.get_mut(slot.as_str()).and_then(Item::as_table_like_mut);
    table.ok_or_else(|| not_a_table(name, slot, "what is said"))
}

/// Sets a value in the table `list` of the slot's table, and creates that table if it is
/// missing.
fn put(
    table: &mut dyn TableLike,
    list: &str,
    (key, value): (&str, Value),
    wrong: impl Fn() -> anyhow::Error,
) -> Result<()> {
    if !table.contains_key(list) {
        table.insert(list, Item::Value(InlineTable::new().into()));
    }
    let item = table.get_mut(list).ok_or_else(&wrong)?;
    let end = end(item);
    set(item.as_table_like_mut().ok_or_else(&wrong)?, key, value);
    tidy(item, end);
    Ok(())
}

/// Returns the refusal of a key that was probably mistyped.
fn mistyped(members: &dyn TableLike, key: &str) -> Option<anyhow::Error> {
    let near = nearest(key, members.iter().map(|(known, _)| known))?;
    let what = format!("there is no entry for {key}");
    Some(Refused::new(FILE, what, format!("did you mean {near}?")).into())
}

fn nothing_to_stop(name: &ComponentName, slot: &Slot, what: &str) -> anyhow::Error {
    let what = format!("there is no entry for {what}{name}@{slot}");
    Refused::new(
        FILE,
        what,
        format!("there is nothing to stop; see {FILE} at the repository's root"),
    )
    .into()
}

fn take_out(
    document: &mut DocumentMut,
    name: &ComponentName,
    slot: &Slot,
    list: &str,
    key: &str,
) -> Result<()> {
    let component = document.get_mut(name.as_str()).and_then(Item::as_table_like_mut);
    let table = component.and_then(|table| table.get_mut(slot.as_str()));
    let table = table.and_then(Item::as_table_like_mut);
    let missing = || nothing_to_stop(name, slot, &format!("{key} in the {list} of "));
    let table = table.ok_or_else(missing)?;
    let item = table.get_mut(list).ok_or_else(missing)?;
    let end = end(item);
    let members = item.as_table_like_mut().ok_or_else(missing)?;
    if members.remove(key).is_none() {
        return Err(mistyped(members, key).unwrap_or_else(missing));
    }
    if !members.is_empty() {
        tidy(item, end);
        return Ok(());
    }
    table.remove(list);
    show_header(document, name, slot);
    Ok(())
}

/// Empties a slot's table, except for `on-revoked`, which is about no callers. The table has to
/// stay: a sync takes a missing one for an accident.
fn stop(document: &mut DocumentMut, name: &ComponentName, slot: &Slot) -> Result<()> {
    let table = table(document, name, slot)?;
    for key in ["split", "segments", "alias"] {
        table.remove(key);
    }
    show_header(document, name, slot);
    Ok(())
}

/// Makes sure that a table is written although it has no members of its own: the table of
/// `["<type>/<name>".<slot>.split]` and of `<slot>.split = …` has no header.
fn show_header(document: &mut DocumentMut, name: &ComponentName, slot: &Slot) {
    let component = document.get_mut(name.as_str()).and_then(Item::as_table_like_mut);
    let table = component.and_then(|component| component.get_mut(slot.as_str()));
    match table {
        Some(Item::Table(table)) => {
            table.set_implicit(false);
            table.set_dotted(false);
        }
        Some(Item::Value(Value::InlineTable(table))) => table.set_dotted(false),
        _ => {}
    }
}

/// Removes a slot's table.
fn remove(document: &mut DocumentMut, name: &ComponentName, slot: &Slot) -> Result<()> {
    let missing = || nothing_to_stop(name, slot, "");
    let component = document.get_mut(name.as_str()).and_then(Item::as_table_like_mut);
    let component = component.ok_or_else(missing)?;
    let removed = component.remove(slot.as_str()).ok_or_else(missing)?;
    let implicit = component.is_empty();
    if implicit {
        document.remove(name.as_str());
    }
    if let Item::Table(table) = removed {
        keep_comments(document, &table);
    }
    Ok(())
}

/// Keeps the comments above a removed table that a blank line separates from it. They do not
/// belong to the table; most often they are the head of the file.
fn keep_comments(document: &mut DocumentMut, removed: &Table) {
    let prefix = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("");
    let Some(end) = prefix.rfind("\n\n") else { return };
    let kept = prefix.get(..end).unwrap_or("").to_owned() + "\n";
    if kept.trim().is_empty() {
        return;
    }
    let position = removed.position();
    match next_table(document.as_table_mut(), position) {
        Some(next) => {
            let own =
                next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("").to_owned();
            next.decor_mut().set_prefix(kept + &own);
        }
        None => {
            let own = document.trailing().as_str().unwrap_or("").to_owned();
            document.set_trailing(kept + &own);
        }
    }
}

/// Returns the positions of the table headers below `position`.
fn below(table: &Table, position: Option<isize>) -> Vec<isize> {
    let children = table.iter().filter_map(|(_, item)| item.as_table());
    let mut found: Vec<isize> = children.flat_map(|child| below(child, position)).collect();
    found.extend(table.position().filter(|at| Some(*at) > position && !table.is_implicit()));
    found
}

/// Returns the table whose header is the first below `position`.
fn next_table(table: &mut Table, position: Option<isize>) -> Option<&mut Table> {
    let next = below(table, position).into_iter().min()?;
    at(table, next)
}

fn at(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) && !table.is_implicit() {
        return Some(table);
    }
    let mut children = table.iter_mut().filter_map(|(_, item)| item.as_table_mut());
    children.find_map(|child| at(child, position))
}

/// Returns the text between the last value of an inline table and its closing brace.
fn end(item: &Item) -> Option<String> {
    let (_, last) = item.as_inline_table()?.iter().last()?;
    Some(last.decor().suffix()?.as_str()?.to_owned())
}

/// Restores the space before the closing brace after a value was added or removed.
fn tidy(item: &mut Item, end: Option<String>) {
    let (Some(table), Some(end)) = (item.as_inline_table_mut(), end) else { return };
    let last = table.len().saturating_sub(1);
    for (index, (_, value)) in table.iter_mut().enumerate() {
        let suffix = value.decor().suffix().and_then(|suffix| suffix.as_str()).unwrap_or("");
        // A comment keeps its place.
        if suffix.trim().is_empty() {
            value.decor_mut().set_suffix(if index == last { end.as_str() } else { "" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "# Who gets what.\n\n# Extraction.\n[\"prompts/extraction\".production]\n\
        split = { canary = 10, blue = 5 } # careful\nsegments = { beta = \"ring-1\" }\n\n\
        # Live.\n[\"prompts/extraction\".live]\nalias = \"green\" # since May\n\n\
        [\"prompts/extraction\"]\nrevoked = { \"v1.0.3\" = \"leaks\" }\n";

    #[track_caller]
    fn check(text: &str, slot: &str, change: TrafficEdit, from: &str, to: &str) {
        let (name, slot) = ("prompts/extraction".parse().unwrap(), slot.parse().unwrap());
        let edited = edit(text, &name, &slot, &change).unwrap();
        assert!(text.contains(from), "{from}");
        assert_eq!(edited, text.replacen(from, to, 1));
        assert!(reconcile::policy::parse(&edited).is_ok(), "{edited}");
    }

    fn slot(name: &str) -> Slot {
        name.parse().unwrap()
    }

    #[test]
    fn edits_keep_comments_and_order() {
        check(
            FULL,
            "production",
            TrafficEdit::Share(slot("canary"), 25.0),
            "canary = 10",
            "canary = 25",
        );
        check(FULL, "production", TrafficEdit::Share(slot("blue"), 0.5), "blue = 5", "blue = 0.5");
        check(
            FULL,
            "production",
            TrafficEdit::Share(slot("new"), 1.0),
            "blue = 5 }",
            "blue = 5, new = 1 }",
        );
        check(FULL, "live", TrafficEdit::Alias(slot("blue")), "\"green\"", "\"blue\"");
        check(
            FULL,
            "production",
            TrafficEdit::Segment("beta".into(), slot("ring-2")),
            "\"ring-1\"",
            "\"ring-2\"",
        );
        check(FULL, "production", TrafficEdit::StopArm(slot("blue")), ", blue = 5 }", " }");
        check(
            FULL,
            "production",
            TrafficEdit::StopSegment("beta".into()),
            "segments = { beta = \"ring-1\" }\n",
            "",
        );
    }

    #[test]
    fn stop_empties_a_table_however_it_is_written() {
        let full =
            "split = { canary = 10, blue = 5 } # careful\nsegments = { beta = \"ring-1\" }\n";
        check(FULL, "production", TrafficEdit::Stop, full, "");
        check(FULL, "live", TrafficEdit::Stop, "alias = \"green\" # since May\n", "");
        let header = "[\"prompts/extraction\".production]\n";
        let no_table = "[\"prompts/extraction\"]\nrevoked = { \"v1.0.3\" = \"leaks\" }\n";
        for (text, stopped) in [
            (
                format!("{header}on-revoked = \"gone\"\nalias = \"blue\"\n"),
                "on-revoked = \"gone\"\n",
            ),
            ("[\"prompts/extraction\".production.split]\ncanary = 10\n".to_owned(), ""),
            ("[\"prompts/extraction\"]\nproduction.split = { canary = 10 }\n".to_owned(), ""),
            (String::new(), ""),
            (no_table.to_owned(), ""),
        ] {
            let edited = stopped_file(&text);
            assert!(edited.contains(&format!("{header}{stopped}")), "{text}\n{edited}");
            assert!(!edited.contains("canary"), "{edited}");
        }
        let inline = "[\"prompts/extraction\"]\nproduction = { split = { canary = 10 } }\n";
        assert_eq!(stopped_file(inline), "[\"prompts/extraction\"]\nproduction = {}\n");
    }

    fn stopped_file(text: &str) -> String {
        let name = "prompts/extraction".parse().unwrap();
        let edited = edit(text, &name, &slot("production"), &TrafficEdit::Stop).unwrap();
        let policy = reconcile::policy::parse(&edited).unwrap();
        let table = &policy.components[&name].slots[&slot("production")];
        assert!(table.split.is_empty() && table.segments.is_empty() && !table.alias, "{edited}");
        edited
    }

    #[test]
    fn only_the_last_arm_ends_the_routing() {
        let name = "prompts/extraction".parse().unwrap();
        let ends = |text: &str, arm: &str| {
            let change = TrafficEdit::StopArm(slot(arm));
            ends_routing(text, &name, &slot("production"), &change).unwrap()
        };
        let last = "[\"prompts/extraction\".production]\nsplit = { canary = 100 }\n";
        assert!(ends(last, "canary"));
        assert!(!ends(last, "blue"));
        assert!(!ends(&format!("{last}segments = {{ beta = \"ring-1\" }}\n"), "canary"));
        assert!(!ends(FULL, "canary"));
        assert!(!ends("", "canary"));
    }

    #[test]
    fn remove_takes_a_table_out_with_its_own_comment() {
        let (live, production) = (
            "# Live.\n[\"prompts/extraction\".live]\nalias = \"green\" # since May\n\n",
            "\n# Extraction.\n[\"prompts/extraction\".production]\n\
             split = { canary = 10, blue = 5 } # careful\nsegments = { beta = \"ring-1\" }\n",
        );
        check(FULL, "live", TrafficEdit::Remove, &format!("\n{live}"), "\n");
        check(FULL, "production", TrafficEdit::Remove, production, "");
    }

    #[test]
    fn edit_creates_the_first_table_of_an_empty_file() {
        let name = "prompts/a".parse().unwrap();
        let change = TrafficEdit::Share(slot("canary"), 10.0);
        let text = edit("", &name, &slot("production"), &change).unwrap();
        assert_eq!(text, "[\"prompts/a\".production]\nsplit = { canary = 10 }\n");
        let change = TrafficEdit::Segment("beta".into(), slot("ring"));
        let both = edit(&text, &name, &slot("production"), &change).unwrap();
        assert_eq!(both, format!("{text}segments = {{ beta = \"ring\" }}\n"));
        let gone =
            edit(&text, &name, &slot("production"), &TrafficEdit::StopArm(slot("canary"))).unwrap();
        assert_eq!(gone, "[\"prompts/a\".production]\n");
        let missing = edit(&text, &name, &slot("live"), &TrafficEdit::Remove).unwrap_err();
        assert!(missing.to_string().contains("there is no entry for prompts/a@live"), "{missing}");
    }
}
