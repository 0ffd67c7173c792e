//! The names that a shell offers while a command is typed: components, slots, versions and
//! environments.
//!
//! The shell runs `slotctl` at each press of the tab key, with the words of the command line after
//! `--`. Only the clone and the configuration are read: nothing is asked of a remote or of
//! Cloudflare. Anything that cannot be read offers no names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use catalog::name::ComponentName;
use clap_complete::CompletionCandidate;
use git::Repository;
use reconcile::tag::{Prefix, TagName, TagTarget};

use crate::config;
use crate::read::tags::read_names;

/// Returns the words of the command line that is typed.
fn typed() -> Vec<String> {
    std::env::args().skip_while(|word| word != "--").skip(2).collect()
}

/// Returns the value of an option among the words: `--repo DIR` or `--repo=DIR`.
fn option<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let inline = |word: &'a String| word.strip_prefix(name)?.strip_prefix('=');
    let next = || {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).map(String::as_str)
    };
    words.iter().find_map(inline).or_else(next)
}

fn tags(words: &[String], component: Option<&ComponentName>) -> Vec<TagName> {
    let repo = PathBuf::from(option(words, "--repo").unwrap_or("."));
    let prefix = match option(words, "--prefix") {
        Some("logic") => Prefix::Logic,
        _ => Prefix::Components,
    };
    let names = Repository::open(&repo).and_then(|repository| {
        let names = read_names(&repository, prefix, component)?;
        Ok(names.into_iter().map(|(_, name)| name).collect())
    });
    names.unwrap_or_default()
}

fn candidates(names: BTreeSet<String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the components that have a tag.
pub(crate) fn components() -> Vec<CompletionCandidate> {
    let tags = tags(&typed(), None);
    candidates(tags.into_iter().map(|tag| tag.component.to_string()).collect())
}

/// Returns the targets of the typed component's tags, or of all tags if none is typed.
fn targets(is_wanted: impl Fn(&TagTarget) -> bool) -> Vec<CompletionCandidate> {
    let words = typed();
    let all = tags(&words, None);
    let component = words.iter().find_map(|word| {
        let name = word.parse::<ComponentName>().ok()?;
        all.iter().any(|tag| tag.component == name).then_some(name)
    });
    let of_it = |tag: &&TagName| component.as_ref().is_none_or(|name| tag.component == *name);
    let targets = all.iter().filter(of_it).map(|tag| &tag.target).filter(|one| is_wanted(one));
    candidates(targets.map(ToString::to_string).collect())
}

/// Returns the slots of the typed component.
pub(crate) fn slots() -> Vec<CompletionCandidate> {
    targets(|target| matches!(target, TagTarget::Slot(_)))
}

/// Returns the versions of the typed component.
pub(crate) fn versions() -> Vec<CompletionCandidate> {
    targets(|target| matches!(target, TagTarget::Version(_)))
}

/// Returns the versions and slots of the typed component.
pub(crate) fn versions_and_slots() -> Vec<CompletionCandidate> {
    targets(|_| true)
}

/// Returns the environments of the configuration.
pub(crate) fn environments() -> Vec<CompletionCandidate> {
    let words = typed();
    let file = option(&words, "--config").map(PathBuf::from);
    let Ok(Some(config)) = config::load(file.as_deref(), None) else { return Vec::new() };
    candidates(config.environments().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_has_its_value_inline_or_as_the_next_word() {
        let words: Vec<String> =
            ["tag", "--repo", "a", "--config=b"].into_iter().map(str::to_owned).collect();
        assert_eq!(option(&words, "--repo"), Some("a"));
        assert_eq!(option(&words, "--config"), Some("b"));
        assert_eq!(option(&words, "--env"), None);
        assert_eq!(option(&words[..2], "--repo"), None);
    }
}
