//! The parser from the file's text to a [`Policy`], with the line and scope of every mistake.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::file::{
    ComponentPolicy, MAX_SEGMENTS, MAX_SPLIT, MistakeScope, Policy, PolicyError, PolicyReading,
    SlotPolicy,
};
use catalog::name::ComponentName;
use catalog::record::FULL_WEIGHT;
use catalog::slot::Slot;

/// Reads the file.
///
/// # Errors
///
/// All mistakes in the file, in the order of the lines.
pub fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
    match read(text) {
        PolicyReading { policy, errors } if errors.is_empty() => Ok(policy),
        PolicyReading { errors, .. } => Err(errors),
    }
}

/// Reads the valid part of the file.
pub fn read(text: &str) -> PolicyReading {
    let mut reader = PolicyReader { text, scope: MistakeScope::Nothing, errors: Vec::new() };
    let mut policy = Policy::default();
    match Document::parse(text) {
        Ok(document) => reader.file(document.as_table(), &mut policy),
        Err(error) => {
            reader.scope = MistakeScope::File;
            // The parser's message has several lines.
            let said = error.message().lines().collect::<Vec<_>>().join(", ");
            reader.fail(error.span(), said, "The file has to be TOML 1.0".to_owned());
        }
    }
    reader.errors.sort_by_key(|error| error.line);
    PolicyReading { policy, errors: reader.errors }
}

struct PolicyReader<'a> {
    text: &'a str,
    /// The scope of the mistakes that are found now.
    scope: MistakeScope,
    errors: Vec<PolicyError>,
}

const SLOT_MEMBERS: &str = "A slot has split, segments, alias or on-revoked";

impl PolicyReader<'_> {
    fn line(&self, span: Option<Range<usize>>) -> usize {
        let before = self.text.get(..span.map_or(0, |span| span.start)).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    fn fail(&mut self, span: Option<Range<usize>>, what: String, help: String) {
        let line = self.line(span);
        self.errors.push(PolicyError { line, scope: self.scope.clone(), what, help });
    }

    /// Returns the entries of a table; reports a mistake if it is not a table.
    fn table<'t>(&mut self, key: &Key, item: &'t Item) -> Vec<(Key, &'t Item)> {
        let Some(table) = item.as_table_like() else {
            let what = format!("{} is {}, not a table", key.get(), item.type_name());
            self.fail(key.span(), what, "Write name = value pairs in { } or below [ ]".to_owned());
            return Vec::new();
        };
        entries(table)
    }

    /// Reports a table with too many entries. `what` names these in the plural.
    fn check_number(&mut self, key: &Key, entries: &[(Key, &Item)], most: usize, what: &str) {
        let number = entries.len();
        if number > most {
            let what = format!("there are {number} {what}");
            self.fail(key.span(), what, format!("Keep at most {most}"));
        }
    }

    fn file(&mut self, table: &dyn TableLike, policy: &mut Policy) {
        for (key, item) in entries(table) {
            self.scope = MistakeScope::Nothing;
            match key.get().parse::<ComponentName>() {
                Ok(name) => {
                    let component = self.component(&key, item, &name);
                    policy.components.insert(name, component);
                }
                Err(error) => {
                    let help = "Write [\"<type>/<name>\".<slot>], the name in quotes".to_owned();
                    self.fail(key.span(), format!("{:?} is {error}", key.get()), help);
                }
            }
        }
    }

    fn component(&mut self, key: &Key, item: &Item, name: &ComponentName) -> ComponentPolicy {
        let mut component = ComponentPolicy::default();
        self.scope = MistakeScope::Component(name.clone());
        for (key, item) in self.table(key, item) {
            self.scope = MistakeScope::Nothing;
            if key.get() == "revoked" {
                self.scope = MistakeScope::Revoked(name.clone());
                self.revoked(&key, item, &mut component);
                continue;
            }
            match key.get().parse::<Slot>() {
                Ok(slot) => {
                    self.scope = MistakeScope::Slot(name.clone(), slot.clone());
                    let policy = self.slot(&key, item, &slot);
                    component.slots.insert(slot, policy);
                }
                Err(error) => {
                    let help = "A component has slots, and revoked".to_owned();
                    self.fail(key.span(), format!("{:?} is {error}", key.get()), help);
                }
            }
        }
        component
    }

    fn revoked(&mut self, key: &Key, item: &Item, component: &mut ComponentPolicy) {
        for (key, item) in self.table(key, item) {
            match (key.get().parse(), item.as_str()) {
                (Ok(version), Some(reason)) => {
                    component.revoked.insert(version, reason.to_owned());
                }
                (Err(error), _) => {
                    let help = "Name the version by its tag, in quotes: \"v1.0.3\"".to_owned();
                    self.fail(key.span(), format!("{:?} is {error}", key.get()), help);
                }
                (Ok(_), None) => {
                    let help = "Say why, as a text: the caller gets to read it".to_owned();
                    self.fail(
                        key.span(),
                        format!("the reason of {} is not a string", key.get()),
                        help,
                    );
                }
            }
        }
    }

    fn slot(&mut self, key: &Key, item: &Item, slot: &Slot) -> SlotPolicy {
        let line = self.line(key.span());
        let mut policy = SlotPolicy { line, ..SlotPolicy::default() };
        let members = self.table(key, item);
        let has = |name: &str| members.iter().any(|(key, _)| key.get() == name);
        if has("alias") && has("split") {
            let help = "Keep one of them: an alias sends all traffic on".to_owned();
            self.fail(key.span(), format!("{slot} has an alias and a split"), help);
        }
        for (key, item) in members {
            match key.get() {
                "split" => self.split(&key, item, slot, &mut policy),
                "segments" => self.segments(&key, item, slot, &mut policy),
                "alias" => {
                    let target = self.target(&key, item, slot);
                    policy.alias = true;
                    policy.split.extend(target.map(|target| (target, FULL_WEIGHT)));
                }
                "on-revoked" => policy.gone_if_revoked = self.on_revoked(&key, item, slot),
                other => {
                    let what = format!("{slot} has no member {other:?}");
                    self.fail(key.span(), what, SLOT_MEMBERS.to_owned());
                }
            }
        }
        policy
    }

    fn on_revoked(&mut self, key: &Key, item: &Item, slot: &Slot) -> bool {
        let said = item.as_str();
        if !matches!(said, Some("gone" | "previous")) {
            let help = "Write \"previous\" (the last good version) or \"gone\" (410)".to_owned();
            self.fail(key.span(), format!("on-revoked of {slot} is not a known value"), help);
        }
        said == Some("gone")
    }

    fn split(&mut self, key: &Key, item: &Item, slot: &Slot, policy: &mut SlotPolicy) {
        let mut sum: u32 = 0;
        let members = self.table(key, item);
        self.check_number(key, &members, MAX_SPLIT, &format!("slots in the split of {slot}"));
        for (key, item) in members {
            let target = self.named(&key, key.get(), slot);
            match (target, weight(item)) {
                (Some(target), Some(weight)) => {
                    sum = sum.saturating_add(weight);
                    policy.split.push((target, weight));
                }
                (_, None) => {
                    let what = format!("the share of {} is not a percentage", key.get());
                    let help = "Write a number from 0 to 100 with at most three decimals";
                    self.fail(key.span(), what, help.to_owned());
                }
                (None, _) => {}
            }
        }
        if sum > FULL_WEIGHT {
            let what = format!("the shares of {slot} add up to {} %", percent(sum));
            let help = "They can add up to at most 100 %; the slot's own version gets the rest";
            self.fail(key.span(), what, help.to_owned());
        }
    }

    fn segments(&mut self, key: &Key, item: &Item, slot: &Slot, policy: &mut SlotPolicy) {
        let members = self.table(key, item);
        self.check_number(key, &members, MAX_SEGMENTS, &format!("segments of {slot}"));
        for (key, item) in members {
            let group = key.get();
            if group.is_empty() || group.len() > 64 || !group.bytes().all(is_group) {
                let help = "Use letters, digits, '.', '_', ':' and '-', 64 at most".to_owned();
                self.fail(key.span(), format!("{group:?} is not a segment"), help);
            }
            if let Some(target) = self.target(&key, item, slot) {
                policy.segments.insert(group.to_owned(), target);
            }
        }
    }

    /// Returns the slot that an alias or a segment leads to.
    fn target(&mut self, key: &Key, item: &Item, slot: &Slot) -> Option<Slot> {
        let Some(text) = item.as_str() else {
            let help = "Write the name of a slot in quotes".to_owned();
            self.fail(key.span(), format!("{} is {}", key.get(), item.type_name()), help);
            return None;
        };
        self.named(key, text, slot)
    }

    fn named(&mut self, key: &Key, text: &str, slot: &Slot) -> Option<Slot> {
        match text.parse::<Slot>() {
            Ok(target) if target == *slot => {
                let help = "Name another slot; its own version gets what is left".to_owned();
                self.fail(key.span(), format!("{slot} leads back to itself"), help);
                None
            }
            Ok(target) => Some(target),
            Err(error) => {
                let help = "Give traffic to slots; set a slot to the version you mean".to_owned();
                self.fail(key.span(), format!("{text:?} is {error}"), help);
                None
            }
        }
    }
}

fn entries(table: &dyn TableLike) -> Vec<(Key, &Item)> {
    let keys = table.iter().map(|(name, _)| name);
    keys.filter_map(|name| table.get_key_value(name))
        .map(|(key, item)| (key.clone(), item))
        .collect()
}

/// Tells if a byte is allowed in the list of groups in a request header.
fn is_group(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:-".contains(&byte)
}

/// Returns the share in thousandths of a percent; `None` if it is out of bounds or finer.
fn weight(item: &Item) -> Option<u32> {
    let thousandths = match item.as_value()? {
        Value::Integer(number) => number.value().checked_mul(1_000)? as f64,
        Value::Float(number) => number.value() * 1_000.0,
        _ => return None,
    };
    let whole = thousandths.round();
    let exact = (thousandths - whole).abs() < 1e-6;
    let bounded = (0.0..=f64::from(FULL_WEIGHT)).contains(&whole);
    (exact && bounded).then_some(whole as u32)
}

/// Formats a share in percent for people: `10`, `0.5`, `33.333`.
pub fn percent(weight: u32) -> String {
    format!("{}", f64::from(weight) / 1_000.0)
}
