//! Calls of the `git` executable. Neither environment variables nor the configuration of a
//! repository can redirect them or make them run other programs.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, anyhow, bail};
use notice::printable;

/// The variables that point Git to another repository: `git rev-parse --local-env-vars` without
/// the configuration variables, which may hold the `safe.directory` of a CI job. They are set
/// if slotctl runs in a hook or an alias.
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

/// The secrets of slotctl. Git, its helpers and its hooks do not need them.
const SECRETS: [&str; 6] = [
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_EMAIL",
    "CF_API_TOKEN",
    "CF_API_KEY",
    "RESOLVER_TOKEN",
];

const SET: [(&str, &str); 2] = [
    // Messages that can be recognised in every locale.
    ("LC_ALL", "C"),
    // The content of a version is the object its commit names, not a local replacement.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
];

const SET_TO_READ: [(&str, &str); 3] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    // A partial clone must not fetch missing objects: no network.
    ("GIT_NO_LAZY_FETCH", "1"),
];

/// The configuration that disables programs and every transport (for versions of Git without
/// `GIT_NO_LAZY_FETCH`).
const CONFIG: [&str; 4] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
    "protocol.allow=never",
];

/// The first version of Git with `cat-file --batch-command`, of April 2022.
const NEEDED: (u32, u32) = (2, 36);

const WHERE: &str = "install Git 2.36 or later from https://git-scm.com/downloads";

/// The settings with which Git is called on one repository.
#[derive(Clone, Debug)]
pub struct Git {
    repo: PathBuf,
    /// An additional folder of objects for commands that read.
    objects: Option<PathBuf>,
}

/// The reason why a call of Git failed.
#[derive(Debug)]
pub enum GitFailure {
    /// Git could not be started.
    Start(std::io::Error),
    /// Git failed with this error message.
    Said(String),
}

impl GitFailure {
    /// Turns the failure into an error for the user of the repository at `path`.
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
    /// Creates the settings for the repository at `repo`.
    pub fn at(repo: &Path) -> Self {
        Self { repo: repo.to_owned(), objects: None }
    }

    /// Adds a folder of objects for commands that read. Commands that write do not see it: the
    /// repository must not depend on these objects.
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

    /// Creates a command for an action that the user asked for: signatures, hooks and remotes
    /// work as the user has configured them.
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

    /// Runs Git to its end and returns stdout and stderr.
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

    /// Checks that Git is installed and new enough.
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

/// Joins the lines of an error message of Git.
pub fn one_line(stderr: &[u8]) -> String {
    let lines = stderr.split(|b| *b == b'\n').map(|line| printable(line.trim_ascii()));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Parses the first two numbers of `git version 2.39.3 (Apple Git-146)`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Quotes a path for `GIT_ALTERNATE_OBJECT_DIRECTORIES` or `info/alternates`, so that it can
/// contain any character.
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

/// Turns the output of Git into a path, without the line end.
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
    fn git_version_is_parsed_for_all_builds() {
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
    fn missing_git_error_links_to_the_download_page() {
        let error = GitFailure::Start(ErrorKind::NotFound.into()).explain(Path::new("."));
        assert!(error.to_string().contains("https://git-scm.com/downloads"));
    }
}
