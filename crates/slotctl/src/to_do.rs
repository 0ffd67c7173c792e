//! The changes of a plan in words.

use reconcile::plan::{Plan, Stage};

use crate::output::count;

/// Counts the changes of a plan: `2 contents, 1 slot to write, 3 keys to delete`. `None` if there
/// are none.
pub(crate) fn to_do(plan: &Plan) -> Option<String> {
    let stages = Stage::ALL.iter().map(|stage| (plan.stage(*stage).count(), stage.name()));
    let parts = stages.filter(|(number, _)| *number > 0);
    let writes: Vec<String> = parts.map(|(number, name)| count(number, name)).collect();
    let writes = (!writes.is_empty()).then(|| format!("{} to write", writes.join(", ")));
    let deletions = plan.deletions.len();
    let deletions = (deletions > 0).then(|| format!("{} to delete", count(deletions, "key")));
    let parts: Vec<String> = writes.into_iter().chain(deletions).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
