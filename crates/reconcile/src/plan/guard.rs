//! The check for a wrong repository or an incomplete clone.

use super::actual::Actual;
use super::value::Plan;
use crate::desired::Desired;
use catalog::key::Key;
use notice::Notice;

/// Returns the reason why the plan must not be carried out without `--allow-mass-delete`, if
/// there is one.
pub(super) fn blocked(desired: &Desired, actual: &Actual, plan: &Plan) -> Option<Notice> {
    let there = actual.pointers();
    if there == 0 {
        return None;
    }
    if desired.components.is_empty() {
        let what = match &actual.scope {
            None => "the repository has no component that can be served, while KV has some".into(),
            Some(names) => {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                format!("no tag of {} can be served, while KV has some", names.join(", "))
            }
        };
        return Some(notice(what));
    }
    let gone = |key: &&Key| matches!(key, Key::Slot(..) | Key::Version(..));
    let gone = plan.deletions.iter().filter(gone).count();
    let what = || format!("{gone} of the {there} slots and versions in KV would be deleted");
    (2 * gone > there).then(|| notice(what()))
}

fn notice(what: String) -> Notice {
    let help = "is it the right repository, and does its remote have the tags? If all of that is meant to go: --prune --allow-mass-delete";
    Notice { subject: "sync".to_owned(), what, help: Some(help.to_owned()) }
}
