//! The user's configuration of remotes, for use in a quarantine.
//!
//! Addresses, credentials and proxies may be in the repository's own configuration, or in files
//! that an `includeIf.gitdir` includes for this repository alone, as actions/checkout does it.
//! They are read in the user's repository and passed on in environment variables, which no
//! other user can read.

use std::collections::HashMap;
use std::process::Command;

use crate::quarantine::Quarantine;
use crate::repository::Repository;
use crate::write::run;

/// Keys and their values, in Git's order.
pub(crate) type Entries = Vec<(String, String)>;

/// Returns the configuration of `repository` that a quarantine does not read by itself.
pub(crate) fn entries(repository: &Repository, quarantine: &Quarantine) -> Entries {
    let own = list(&mut repository.git.user_command());
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for entry in list(&mut quarantine.user_command()) {
        *seen.entry(entry).or_default() += 1;
    }
    let unseen = |entry: &(String, String)| match seen.get_mut(entry) {
        Some(left @ 1..) => {
            *left -= 1;
            false
        }
        _ => true,
    };
    own.into_iter().filter(|(key, _)| is_transport(key)).filter(unseen).collect()
}

/// Lists the configuration as the command reads it.
pub(crate) fn list(command: &mut Command) -> Entries {
    let ran = run(command.args(["config", "--list", "-z", "--includes"]));
    let printed = ran.map(|ran| ran.stdout).unwrap_or_default();
    let entry = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        // A key without a value means true.
        let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
        (key.to_owned(), value.to_owned())
    };
    printed.split(|byte| *byte == 0).filter(|text| !text.is_empty()).map(entry).collect()
}

fn is_transport(key: &str) -> bool {
    let begins = ["http.", "url.", "credential.", "ssh.", "protocol."];
    let whole = ["core.sshcommand", "core.askpass", "core.gitproxy"];
    let of_remote = [".url", ".proxy", ".proxyauthmethod"];
    begins.iter().any(|start| key.starts_with(start))
        || whole.contains(&key)
        || key.starts_with("remote.") && of_remote.iter().any(|end| key.ends_with(end))
}

/// Adds the entries to the configuration in the environment of Git.
pub(crate) fn add(command: &mut Command, entries: &[(String, String)]) {
    let there = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|count| count.parse().ok());
    let there: usize = there.unwrap_or(0);
    command.env("GIT_CONFIG_COUNT", (there + entries.len()).to_string());
    for (at, (key, value)) in (there..).zip(entries) {
        command.env(format!("GIT_CONFIG_KEY_{at}"), key);
        command.env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
}
