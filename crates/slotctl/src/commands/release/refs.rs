//! The references that both versions are asked for.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use catalog::name::ComponentName;
use catalog::reference::Reference;

use super::probe::{Probe, component_path};
use crate::nearest::nearest_file;
use notice::Refused;
use release::model::Id;

/// The largest number of slots in KV that are compared if no file names references.
const OF_SLOTS: usize = 20;

/// A reference, and the status of the old version's response to it.
#[derive(Clone, Debug)]
pub(crate) struct CheckedReference {
    pub(crate) text: String,
    pub(crate) status: u16,
}

/// Returns the references of a file, or some of the slots in KV if there is no file.
///
/// # Errors
///
/// If the file cannot be read, if a line of it is not a reference, or if there are no
/// references.
pub(crate) fn choose(file: Option<&Path>, slots: &[String]) -> Result<Vec<String>> {
    let refs = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}{}", file.display(), nearest_file(file)))?;
            parse(&text).with_context(|| format!("in {}", file.display()))?
        }
        None => spread(slots),
    };
    if refs.is_empty() {
        bail!(Refused::new(
            "references",
            "there are no references to compare",
            "`slotctl sync` fills KV; --refs FILE names references, one a line",
        ));
    }
    Ok(refs)
}

/// Parses one reference per line; skips empty lines and those that begin with `#`.
fn parse(text: &str) -> Result<Vec<String>> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(at, line)| {
            let line = line.strip_prefix("/components/").unwrap_or(line);
            let (name, reference) = match line.rsplit_once('@') {
                Some((name, reference)) => (name, Some(reference)),
                None => (line, None),
            };
            name.parse::<ComponentName>().with_context(|| format!("line {at}: {name:?}"))?;
            if let Some(text) = reference {
                text.parse::<Reference>().with_context(|| format!("line {at}: {text:?}"))?;
            }
            Ok(line.to_owned())
        })
        .collect()
}

/// Returns up to [`OF_SLOTS`] of the slots, at equal distances.
fn spread(slots: &[String]) -> Vec<String> {
    let every = slots.len().div_ceil(OF_SLOTS).max(1);
    slots.iter().step_by(every).cloned().collect()
}

/// Asks the deployed version for each reference and keeps the status. A reference that it
/// fails to serve is refused, because the new version could not be compared by it.
///
/// # Errors
///
/// If a request fails or is answered with a status of 500 or above, if another version
/// answers than Cloudflare names as deployed, or if it serves none of the references.
pub(crate) fn baseline(
    probe: &Probe,
    refs: Vec<String>,
    old: &Id,
) -> Result<Vec<CheckedReference>> {
    let mut known = Vec::new();
    for text in refs {
        let answer = probe.ask(&component_path(&text), Some(old));
        let answer = answer.with_context(|| format!("{text}: the version that is deployed"))?;
        let (status, by) = (answer.status, answer.header("Script-Version").unwrap_or("none"));
        if status >= 500 {
            let what = format!("the version that is deployed answers with status {status} already");
            bail!(Refused::new(text, what, "fix the deployed version first; see its logs"));
        }
        if by != old.as_str() {
            let what = format!("script version {by} answers, and {old} is deployed");
            bail!(Refused::new(text, what, "check that --check-url is the address of this Worker"));
        }
        known.push(CheckedReference { text, status });
    }
    if known.iter().all(|known| known.status != 200) {
        let shown: Vec<String> = known
            .iter()
            .take(3)
            .map(|CheckedReference { text, status }| format!("{text} ({status})"))
            .collect();
        bail!(Refused::new(
            shown.join(", "),
            "the deployed version serves none of the references",
            "with read tokens: RESOLVER_TOKEN; --refs FILE names others",
        ));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_reads_references_and_names_invalid_lines() {
        let text = "# ours\n\nprompts/extraction@production\n /components/prompts/extraction@^1.0 \nprompts/extraction\n";
        assert_eq!(
            parse(text).unwrap(),
            ["prompts/extraction@production", "prompts/extraction@^1.0", "prompts/extraction"]
        );
        for (text, message) in [
            ("prompts/a@production\nPrompts", "line 2: \"Prompts\""),
            ("prompts/a@", "line 1: \"\""),
            ("../secret@production", "line 1: \"../secret\""),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
        assert!(choose(None, &[]).is_err());
    }

    #[test]
    fn spread_picks_at_most_20_slots_evenly() {
        let slots: Vec<String> = (0..100).map(|number| format!("prompts/p{number}@s")).collect();
        let chosen = spread(&slots);
        assert_eq!((chosen.len(), &*chosen[1]), (20, "prompts/p5@s"));
        assert_eq!(spread(&slots[..3]).len(), 3);
    }
}
