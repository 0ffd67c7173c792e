//! Calls of the `git` executable that can neither be led astray by the
//! environment nor made to run what a repository's configuration names.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, anyhow, bail};
use notice::printable;

/// What tells Git to look at another repository than the one that it is pointed
/// to: `git rev-parse --local-env-vars` without the configuration, which may hold
/// the `safe.directory` of a CI job. Set when slotctl runs in a hook or an alias.
const LOCAL: [&str; 13] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// What slotctl is trusted with and Git, its helpers and hooks have no use for.
const SECRETS: [&str; 6] = [
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_EMAIL",
    "CF_API_TOKEN",
    "CF_API_KEY",
    "RESOLVER_TOKEN",
];

const SET: [(&str, &str); 2] = [
    // Messages that can be recognised.
    ("LC_ALL", "C"),
    // A version's content is what its commit names, not what stands in for it here.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

const SET_TO_READ: [(&str, &str); 3] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // A partial clone must not fetch what is missing: no network.
    ("GIT_NO_LAZY_FETCH", "1"),
];

/// Configuration that runs programs, and every way to a network (for Gits that do
/// not know `GIT_NO_LAZY_FETCH` yet).
const CONFIG: [&str; 3] =
    ["core.fsmonitor=false", "core.hooksPath=/dev/null", "protocol.allow=never"];

/// The first Git with `cat-file --batch-command`, of April 2022.
const NEEDED: (u32, u32) = (2, 36);

const WHERE: &str = "install Git 2.36 or later from https://git-scm.com/downloads";

/// How to call Git on one repository.
#[derive(Clone, Debug)]
pub struct Git {
    repo: PathBuf,
    /// A folder of objects that reading commands find too.
    objects: Option<PathBuf>,
}

/// Why Git gave no answer.
#[derive(Debug)]
pub enum GitFailure {
    /// It could not be started.
    Start(std::io::Error),
    /// What it said.
    Said(String),
}

impl GitFailure {
    /// The failure as the user of the repository at `path` needs to hear it.
    pub fn explain(self, path: &Path) -> anyhow::Error {
        let path = path.display();
        let said = match self {
            Self::Start(error) if error.kind() == ErrorKind::NotFound => {
                return anyhow!("git was not found: {WHERE} and have it on the PATH");
            }
            Self::Start(error) => return anyhow!("git could not be started: {error}"),
            Self::Said(said) => said,
        };
        if said.contains("not a git repository") {
            return anyhow!("{path} is not a Git repository, nor inside one: name one with --repo");
        }
        if let Some((_, at)) = said.split_once("dubious ownership in repository at '") {
            let (at, _) = at.split_once('\'').unwrap_or((at, ""));
            return anyhow!(
                "{path} belongs to another user, so Git does not read it; if you trust it: \
                 git config --global --add safe.directory '{at}'"
            );
        }
        anyhow!("git cannot read {path}: {said}")
    }
}

impl Git {
    /// Git on the repository at `repo`.
    pub fn at(repo: &Path) -> Self {
        Self { repo: repo.to_owned(), objects: None }
    }

    /// The same Git, whose reading commands also find the objects in a folder. Those
    /// that write do not: nothing of the repository may come to depend on it.
    #[must_use]
    pub fn with_objects(&self, objects: &Path) -> Self {
        Self { repo: self.repo.clone(), objects: Some(objects.to_owned()) }
    }

    /// A command to which the caller adds a subcommand and its arguments.
    pub fn command(&self) -> Command {
        let mut command = self.user_command();
        command.envs(SET_TO_READ);
        if let Some(objects) = &self.objects {
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(objects));
        }
        for setting in CONFIG {
            command.arg("-c").arg(setting);
        }
        command
    }

    /// The same for what the user asked Git to do: signatures, hooks and remotes
    /// are as the user has set them.
    pub fn user_command(&self) -> Command {
        let mut command = Command::new("git");
        for name in LOCAL.into_iter().chain(SECRETS) {
            command.env_remove(name);
        }
        command.envs(SET).arg("--no-pager").arg("-C").arg(&self.repo);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs Git to its end and returns what it printed.
    ///
    /// # Errors
    ///
    /// If Git cannot be started or exits with another code than 0.
    pub fn run(&self, args: &[&str]) -> Result<Vec<u8>, GitFailure> {
        self.run_with_warnings(args).map(|(stdout, _)| stdout)
    }

    /// The same, with what it said beside.
    ///
    /// # Errors
    ///
    /// If Git cannot be started or exits with another code than 0.
    pub fn run_with_warnings(&self, args: &[&str]) -> Result<(Vec<u8>, Vec<u8>), GitFailure> {
        let output =
            self.command().args(args.iter().map(OsStr::new)).output().map_err(GitFailure::Start)?;
        if output.status.success() {
            return Ok((output.stdout, output.stderr));
        }
        let said = one_line(&output.stderr);
        Err(GitFailure::Said(match said.is_empty() {
            true => format!("git {} ended with {}", args.join(" "), output.status),
            false => said,
        }))
    }

    /// Makes sure that there is a Git, and one that is new enough.
    ///
    /// # Errors
    ///
    /// Fails if Git is missing, or is older than the oldest supported version.
    pub fn check_version(&self) -> Result<()> {
        let printed = self.run(&["version"]).map_err(|error| error.explain(&self.repo))?;
        let printed = String::from_utf8_lossy(&printed);
        match version(&printed) {
            Some(found) if found < NEEDED => {
                bail!("{} is too old: {WHERE}", printed.trim())
            }
            _ => Ok(()),
        }
    }
}

/// What Git said, its lines joined.
pub fn one_line(stderr: &[u8]) -> String {
    let lines = stderr.split(|b| *b == b'\n').map(|line| printable(line.trim_ascii()));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The first two numbers of `git version 2.39.3 (Apple Git-146)`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// A path as Git's lists of folders of objects take it, whatever is in it: in quotes.
pub fn quoted(path: &Path) -> OsString {
    let mut text = vec![b'"'];
    for byte in path.as_os_str().as_encoded_bytes() {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    os_path(text).into_os_string()
}

/// A path that Git printed, its line end taken off.
pub fn path_from(mut printed: Vec<u8>) -> PathBuf {
    if printed.ends_with(b"\n") {
        printed.pop();
    }
    if printed.ends_with(b"\r") && cfg!(windows) {
        printed.pop();
    }
    os_path(printed)
}

#[cfg(unix)]
fn os_path(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_builds() {
        for (printed, expected) in [
            ("git version 2.47.3\n", Some((2, 47))),
            ("git version 2.39.3 (Apple Git-146)", Some((2, 39))),
            ("git version 2.43.0.windows.1", Some((2, 43))),
            ("git version 2.36.GIT", Some((2, 36))),
            ("anything", None),
        ] {
            assert_eq!(version(printed), expected, "{printed}");
        }
    }

    #[test]
    fn a_missing_git_is_named_with_where_to_get_it() {
        let error = GitFailure::Start(ErrorKind::NotFound.into()).explain(Path::new("."));
        assert!(error.to_string().contains("https://git-scm.com/downloads"));
    }
}
