//! Cloudflare's versions and deployments of a Worker, through the `wrangler`
//! executable: the only place that calls it. What it prints is hostile until parsed.

mod call;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::de::DeserializeOwned;

use release::model::{self, Deployment, Id, WorkerVersion};
use release::percent::Percent;

use call::WranglerCall;

/// An upload builds the Worker first.
const TO_UPLOAD: Duration = Duration::from_mins(30);

const TO_ANSWER: Duration = Duration::from_mins(5);

/// How to call wrangler for one Worker.
#[derive(Debug)]
pub(crate) struct Wrangler {
    program: Vec<OsString>,
    /// Where `wrangler.toml` is.
    dir: PathBuf,
    /// What names the Worker, behind every command.
    which: Vec<String>,
}

impl Wrangler {
    /// Wrangler for the Worker of a `wrangler.toml`, as `command` or as it is installed
    /// beside that file.
    pub(crate) fn new(
        command: Option<&str>,
        config: &Path,
        env: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        let parent = config.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = parent.unwrap_or(Path::new(".")).to_owned();
        let mut which = Vec::new();
        if let Some(file) = config.file_name().filter(|file| *file != "wrangler.toml") {
            which.push(format!("--config={}", file.to_string_lossy()));
        }
        which.extend(env.map(|env| format!("--env={env}")));
        which.extend(name.map(|name| format!("--name={name}")));
        let program = program(command, &dir);
        Self { program, dir, which }
    }

    /// The deployment that is active.
    ///
    /// # Errors
    ///
    /// If wrangler fails, also because there never was one, or says what makes no sense.
    pub(crate) fn active(&self) -> Result<Deployment> {
        self.ask(&["deployments", "status"])
    }

    /// The latest versions, the oldest first; wrangler shows ten.
    ///
    /// # Errors
    ///
    /// As [`Self::active`].
    pub(crate) fn versions(&self) -> Result<Vec<WorkerVersion>> {
        let mut versions: Vec<WorkerVersion> = self.ask(&["versions", "list"])?;
        versions.sort_by_key(|version| version.number);
        Ok(versions)
    }

    /// One version.
    ///
    /// # Errors
    ///
    /// As [`Self::active`].
    pub(crate) fn version(&self, id: &Id) -> Result<WorkerVersion> {
        self.ask(&["versions", "view", id.as_str()])
    }

    /// Builds and uploads the Worker; nobody gets it yet.
    ///
    /// # Errors
    ///
    /// If wrangler fails, or does not tell which version it made.
    pub(crate) fn upload(&self, tag: &str, message: &str) -> Result<Id> {
        // One argument each: a subject may begin with a dash.
        let options = [format!("--tag={tag}"), format!("--message={message}")];
        let told = self.tell(&["versions", "upload"], &options, TO_UPLOAD)?;
        model::uploaded(&told).ok_or_else(|| {
            anyhow!(
                "wrangler versions upload did not say which version it made; is it 3.60 or later?"
            )
        })
    }

    /// Makes a deployment; returns its id where wrangler tells. The growing version comes
    /// first, and the order stays the same in every step: Durable Objects keep their
    /// version by it.
    ///
    /// # Errors
    ///
    /// If wrangler fails; the deployment may have been made all the same.
    pub(crate) fn deploy(&self, versions: &[(Id, Percent)], message: &str) -> Result<Option<Id>> {
        let shares: Vec<String> =
            versions.iter().map(|(id, share)| format!("{id}@{share}%")).collect();
        let mut words = vec!["versions", "deploy"];
        words.extend(shares.iter().map(String::as_str));
        let options = ["--yes".to_owned(), format!("--message={message}")];
        Ok(model::deployed(&self.tell(&words, &options, TO_ANSWER)?))
    }

    /// The command for people that gives one version all of the traffic.
    pub(crate) fn by_hand(&self, version: &Id) -> String {
        let which = self.which.iter().map(|option| format!(" {option}")).collect::<String>();
        format!("npx wrangler versions deploy {version}@100% --yes{which}")
    }

    fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T> {
        let printed = self.call(words, &["--json".to_owned()], None, TO_ANSWER)?;
        model::json(&printed).map_err(|why| {
            anyhow!("wrangler {} printed what it should not: {why}", words.join(" "))
        })
    }

    /// Makes a call, and returns what it tells machines.
    fn tell(&self, words: &[&str], options: &[String], patience: Duration) -> Result<String> {
        let folder = tempfile::tempdir().context("can't make a temporary folder")?;
        let file = folder.path().join("wrangler.ndjson");
        self.call(words, options, Some(&file), patience)?;
        Ok(fs::read_to_string(&file).unwrap_or_default())
    }

    fn call(
        &self,
        words: &[&str],
        options: &[String],
        told: Option<&Path>,
        patience: Duration,
    ) -> Result<String> {
        let words = words.iter().map(|word| (*word).to_owned());
        let args = words.chain(options.iter().cloned()).chain(self.which.iter().cloned()).collect();
        WranglerCall { program: &self.program, dir: &self.dir, args, told, patience }.run()
    }
}

/// The words that start wrangler.
fn program(command: Option<&str>, dir: &Path) -> Vec<OsString> {
    if let Some(command) = command {
        // A path may have spaces; else they separate words.
        return match Path::new(command).exists() {
            true => vec![absolute(Path::new(command))],
            false => command.split_whitespace().map(OsString::from).collect(),
        };
    }
    let installed = dir.join("node_modules").join(".bin").join("wrangler");
    match installed.exists() {
        true => vec![absolute(&installed)],
        false => vec!["npx".into(), "wrangler".into()],
    }
}

/// The call is made in another folder.
fn absolute(path: &Path) -> OsString {
    std::path::absolute(path).map_or_else(|_| path.into(), PathBuf::into_os_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_worker_and_which_program() {
        let found = Wrangler::new(Some("node cli.js"), Path::new("a/w.toml"), Some("green"), None);
        assert_eq!(found.program, ["node", "cli.js"].map(OsString::from));
        assert_eq!(found.dir, Path::new("a"));
        assert_eq!(found.which, ["--config=w.toml", "--env=green"]);
        let found = Wrangler::new(None, Path::new("wrangler.toml"), None, Some("other"));
        assert_eq!(
            (found.dir.as_path(), &found.which[..]),
            (Path::new("."), &["--name=other".to_owned()][..])
        );
        assert_eq!(found.program.len(), 2, "{:?}", found.program);
    }
}
