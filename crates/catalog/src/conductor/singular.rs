//! A component type's name in the singular.

/// Returns the singular forms of a type, as used in edgit's registry and file names.
///
/// The types of edgit are regular except `agents`. A type without a plural is its own singular.
pub fn singulars(plural: &str) -> Vec<String> {
    let singular = match (plural.strip_suffix("ies"), plural.strip_suffix('s')) {
        (Some(stem), _) if !stem.is_empty() => format!("{stem}y"),
        (_, Some(stem)) if !stem.is_empty() => stem.to_owned(),
        _ => plural.to_owned(),
    };
    match singular.as_str() {
        "agent" => vec![singular, "agent-definition".to_owned()],
        _ => vec![singular],
    }
}
