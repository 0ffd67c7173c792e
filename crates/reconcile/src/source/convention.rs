//! The conventional places of a component's file.
//!
//! They are under `components/{type}/` and `{type}/`, for `logic` also under `logic/{type}/`
//! and `src/logic/{type}/`: `{name}.{ext}`, `{name}.{singular}.{ext}`, `{name}/index.{ext}`,
//! `{name}/{singular}.{ext}`, and the same without the suffix that edgit appends to names
//! (`extraction-prompt` is `extraction`).

use crate::tag::Prefix;
use catalog::conductor::singulars;
use catalog::name::ComponentName;

/// The files that could be a component: those in `folder` whose name is one of `stems`, a dot
/// and an extension without another dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateFiles {
    /// The folder.
    pub folder: String,
    /// The files' names without their extension.
    pub stems: Vec<String>,
}

impl CandidateFiles {
    /// Tells if a file of this name in the folder is a candidate.
    pub fn admits(&self, file: &str) -> bool {
        let extension = |stem: &String| file.strip_prefix(stem.as_str())?.strip_prefix('.');
        let candidate = |extension: &str| !extension.is_empty() && !extension.contains('.');
        self.stems.iter().filter_map(extension).any(candidate)
    }

    /// Formats the place for an error message: `prompts/{extraction,extraction.prompt}.*`.
    pub fn pattern(&self) -> String {
        match self.stems.as_slice() {
            [stem] => format!("{}/{stem}.*", self.folder),
            stems => format!("{}/{{{}}}.*", self.folder, stems.join(",")),
        }
    }
}

/// Returns all places to search for the file of `name`.
pub fn places(prefix: Prefix, name: &ComponentName) -> Vec<CandidateFiles> {
    let kind = name.type_name();
    let singulars = singulars(kind);
    let (folders, last) = name.path().rsplit_once('/').unwrap_or(("", name.path()));
    let names = with_and_without_suffix(last, &singulars);
    let mut places = Vec::new();
    for root in roots(prefix) {
        let parts = [root, kind, folders].into_iter().filter(|part| !part.is_empty());
        let folder = parts.collect::<Vec<_>>().join("/");
        places
            .push(CandidateFiles { folder: folder.clone(), stems: file_stems(&names, &singulars) });
        for name in &names {
            let stems = std::iter::once("index".to_owned()).chain(singulars.iter().cloned());
            places.push(CandidateFiles {
                folder: format!("{folder}/{name}"),
                stems: stems.collect(),
            });
        }
    }
    places
}

fn roots(prefix: Prefix) -> &'static [&'static str] {
    match prefix {
        Prefix::Components => &["components", ""],
        Prefix::Logic => &["components", "", "logic", "src/logic"],
    }
}

fn with_and_without_suffix<'a>(name: &'a str, singulars: &[String]) -> Vec<&'a str> {
    let bare = singulars.iter().filter_map(|singular| {
        let bare = name.strip_suffix(singular.as_str())?.strip_suffix('-')?;
        (!bare.is_empty()).then_some(bare)
    });
    std::iter::once(name).chain(bare).collect()
}

fn file_stems(names: &[&str], singulars: &[String]) -> Vec<String> {
    let of_name = |name: &&str| {
        let typed = singulars.iter().map(|singular| format!("{name}.{singular}"));
        std::iter::once((*name).to_owned()).chain(typed).collect::<Vec<_>>()
    };
    names.iter().flat_map(of_name).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admitted(prefix: Prefix, name: &str, path: &str) -> bool {
        let (folder, file) = path.rsplit_once('/').unwrap();
        let places = places(prefix, &name.parse().unwrap());
        places.iter().any(|place| place.folder == folder && place.admits(file))
    }

    #[test]
    fn places_admit_files_of_the_convention() {
        for (name, path) in [
            ("prompts/extraction", "prompts/extraction.md"),
            ("prompts/extraction", "components/prompts/extraction.md"),
            ("prompts/extraction", "prompts/extraction.prompt.md"),
            ("prompts/extraction", "prompts/extraction/index.md"),
            ("prompts/extraction", "prompts/extraction/prompt.md"),
            ("prompts/extraction-prompt", "prompts/extraction.md"),
            ("prompts/extraction-prompt", "prompts/extraction-prompt.md"),
            ("prompts/extraction-prompt", "prompts/extraction/index.md"),
            ("agents/triage", "agents/triage.agent.yaml"),
            ("agents/triage-agent-definition", "agents/triage.agent.yaml"),
            ("agents/classifier", "agents/classifier/index.ts"),
            ("agents/classifier", "agents/classifier/agent-definition.ts"),
            ("queries/top", "queries/top.query.sql"),
            ("templates/emails/welcome", "templates/emails/welcome.hbs"),
            ("templates/emails/welcome", "components/templates/emails/welcome/index.hbs"),
            ("prompts/v1.2", "prompts/v1.2.md"),
        ] {
            assert!(admitted(Prefix::Components, name, path), "{name} {path}");
            assert!(admitted(Prefix::Logic, name, path), "{name} {path}");
        }
    }

    #[test]
    fn places_refuse_other_files() {
        for (name, path) in [
            ("prompts/extraction", "prompts/extraction"),
            ("prompts/extraction", "prompts/extraction."),
            ("prompts/extraction", "prompts/extraction.test.md"),
            ("prompts/extraction", "prompts/extraction-prompt.md"),
            ("prompts/extraction", "templates/extraction.md"),
            ("prompts/extraction", "logic/prompts/extraction.md"),
            ("prompts/-prompt0", "prompts/.md"),
        ] {
            if let Ok(_name) = name.parse::<ComponentName>() {
                assert!(!admitted(Prefix::Components, name, path), "{name} {path}");
            }
        }
        assert!(admitted(Prefix::Logic, "prompts/guard", "src/logic/prompts/guard.prompt.md"));
        assert!(admitted(Prefix::Logic, "prompts/guard", "logic/prompts/guard.md"));
    }

    #[test]
    fn places_are_shown_as_patterns() {
        let name = "prompts/extraction".parse().unwrap();
        let patterns: Vec<String> =
            places(Prefix::Components, &name).iter().map(CandidateFiles::pattern).collect();
        assert_eq!(
            patterns,
            [
                "components/prompts/{extraction,extraction.prompt}.*",
                "components/prompts/extraction/{index,prompt}.*",
                "prompts/{extraction,extraction.prompt}.*",
                "prompts/extraction/{index,prompt}.*",
            ]
        );
    }

    proptest! {
        #[test]
        fn every_name_has_valid_places(name in "[a-z]{1,4}(/[a-z0-9][a-z0-9-]{0,5}){1,3}") {
            if let Ok(name) = name.parse() {
                for place in places(Prefix::Logic, &name) {
                    prop_assert!(!place.folder.contains("//") && !place.folder.is_empty());
                    prop_assert!(place.stems.iter().all(|stem| !stem.is_empty()));
                }
            }
        }
    }
}
