//! The examples of `docs/rollouts.md`, read by the parser that `slotctl` uses.

// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use catalog::timestamp::Timestamp;
use reconcile::desired::{Desired, DesiredComponent, DesiredSlot};
use reconcile::policy::{parse, read, routes};

const PAGE: &str = include_str!("../../../docs/rollouts.md");

/// Returns the text of each `toml` block of the page.
fn blocks() -> Vec<&'static str> {
    let starts = PAGE.split("```toml\n").skip(1);
    starts.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

/// Returns each example of the table of mistakes with its message.
fn mistakes() -> Vec<(String, &'static str)> {
    let (_, table) = PAGE.split_once("| example | message |\n").expect("the table of mistakes");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (cells[1].replace("<br>", "\n").replace('`', ""), cells[2])
    })
    .collect()
}

/// Returns `prompts/x` with the slots `production` and `canary`.
fn example() -> Desired {
    let slot = DesiredSlot {
        version: "v1.0.0".parse().unwrap(),
        author: "Ada".to_owned(),
        time: Timestamp::from_unix(0),
        why: String::new(),
        tag: None,
    };
    let slots = ["production", "canary"].map(|name| (name.parse().unwrap(), slot.clone()));
    let component = DesiredComponent { slots: slots.into(), ..DesiredComponent::default() };
    Desired { components: [("prompts/x".parse().unwrap(), component)].into(), ..Desired::default() }
}

#[test]
fn every_example_of_the_page_is_valid() {
    assert!(!blocks().is_empty());
    for block in blocks() {
        parse(block).unwrap_or_else(|errors| panic!("{block}\n{errors:?}"));
    }
}

#[test]
fn every_mistake_of_the_page_has_the_message_that_the_page_shows() {
    assert!(mistakes().len() > 10);
    for (text, expected) in mistakes() {
        let reading = read(&text);
        let (_, unroutable) = routes(&reading.policy, &example());
        let errors = reading.errors.iter().chain(&unroutable);
        let found: Vec<&str> = errors.map(|error| error.what.as_str()).collect();
        assert!(found.contains(&expected), "{text}\n{found:?}\nhas not\n{expected}");
    }
}
