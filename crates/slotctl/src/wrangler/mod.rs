//! Cloudflare's versions and deployments of a Worker, through the `wrangler` executable. No
//! other module calls it. Its output is untrusted until it is parsed.

pub(crate) mod account;
mod call;
mod program;
mod serve;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use serde::de::DeserializeOwned;

use release::model::{self, Deployment, Id, WorkerVersion};
use release::percent::Percent;

use call::WranglerCall;
pub(crate) use serve::DevServer;

/// The time limit of an upload, which builds the Worker first.
const TO_UPLOAD: Duration = Duration::from_mins(30);

const TO_ANSWER: Duration = Duration::from_mins(5);

/// The settings with which wrangler is called for one Worker.
#[derive(Debug)]
pub(crate) struct Wrangler {
    program: Vec<OsString>,
    /// The folder of the configuration.
    dir: PathBuf,
    /// The options that name the Worker, appended to every command.
    which: Vec<String>,
    /// The same options for display, relative to the user's folder.
    shown: String,
}

impl Wrangler {
    /// Creates the settings for the Worker of the configuration `file`. Wrangler is `command`,
    /// or the one that is installed there. Every call names the file because wrangler prefers
    /// some files in parent folders, and the environment because wrangler takes one from
    /// `CLOUDFLARE_ENV`: an empty one is the top level.
    pub(crate) fn new(
        command: Option<&str>,
        file: &Path,
        env: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        let parent = file.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = parent.unwrap_or(Path::new(".")).to_owned();
        let option = |name: &str, value: &str| format!("--{name}={value}");
        let env = option("env", env.unwrap_or_default());
        let more: Vec<String> =
            [env].into_iter().chain(name.map(|name| option("name", name))).collect();
        let here = file.file_name().unwrap_or_default().to_string_lossy();
        let which = [&[option("config", &here)], &more[..]].concat();
        let there = [&[option("config", &file.to_string_lossy())], &more[..]].concat();
        let shown = there.iter().map(|word| format!(" {}", quoted(word))).collect();
        let program = program::program(command, &dir);
        Self { program, dir, which, shown }
    }

    /// Creates the settings for the wrangler that is installed beside the configuration or above it;
    /// `None` if there is none.
    pub(crate) fn installed(file: &Path, env: Option<&str>) -> Option<Self> {
        let wrangler = Self::new(None, file, env, None);
        program::is_installed(&wrangler.program).then_some(wrangler)
    }

    /// Returns the command of npx if no wrangler is installed, so that npx downloads it.
    pub(crate) fn npx(&self) -> Option<String> {
        (!program::is_installed(&self.program)).then(|| program::NPX.join(" "))
    }

    /// Returns the active deployment.
    ///
    /// # Errors
    ///
    /// If wrangler fails (also because there is no deployment yet), or its output cannot be
    /// parsed.
    pub(crate) fn active(&self) -> Result<Deployment> {
        self.ask(&["deployments", "status"])
    }

    /// Lists the latest versions, the oldest first. Wrangler shows ten.
    ///
    /// # Errors
    ///
    /// As [`Self::active`].
    pub(crate) fn versions(&self) -> Result<Vec<WorkerVersion>> {
        let mut versions: Vec<WorkerVersion> = self.ask(&["versions", "list"])?;
        versions.sort_by_key(|version| version.number);
        Ok(versions)
    }

    /// Returns one version.
    ///
    /// # Errors
    ///
    /// As [`Self::active`].
    pub(crate) fn version(&self, id: &Id) -> Result<WorkerVersion> {
        self.ask(&["versions", "view", id.as_str()])
    }

    /// Builds and uploads the Worker. The new version gets no traffic yet.
    ///
    /// # Errors
    ///
    /// If wrangler fails, or does not name the version that it made.
    pub(crate) fn upload(&self, tag: &str, message: &str) -> Result<Id> {
        // Each option is one argument: a subject may begin with a dash.
        let options = [format!("--tag={tag}"), format!("--message={message}")];
        let output = self.tell(&["versions", "upload"], &options, TO_UPLOAD)?;
        model::uploaded(&output).ok_or_else(|| {
            anyhow!(
                "wrangler versions upload did not say which version it made; is it 3.60 or later?"
            )
        })
    }

    /// Makes a deployment and returns its id, if wrangler prints it. The growing version comes
    /// first and the order is the same in every step, because Durable Objects keep their
    /// version by it.
    ///
    /// # Errors
    ///
    /// If wrangler fails. The deployment may have been made nevertheless.
    pub(crate) fn deploy(&self, versions: &[(Id, Percent)], message: &str) -> Result<Option<Id>> {
        let shares: Vec<String> =
            versions.iter().map(|(id, share)| format!("{id}@{share}%")).collect();
        let mut words = vec!["versions", "deploy"];
        words.extend(shares.iter().map(String::as_str));
        let options = ["--yes".to_owned(), format!("--message={message}")];
        Ok(model::deployed(&self.tell(&words, &options, TO_ANSWER)?))
    }

    /// Starts `wrangler dev` at a port of this machine, with a local KV in `folder` or in
    /// wrangler's own folder for it.
    ///
    /// # Errors
    ///
    /// If wrangler cannot be started.
    pub(crate) fn serve(&self, port: u16, folder: Option<&Path>) -> Result<DevServer> {
        let place = ["--ip=127.0.0.1".to_owned(), format!("--port={port}")];
        // No inspector: two servers would want the same port for it.
        let quiet =
            ["--inspector-port=0".to_owned(), "--show-interactive-dev-session=false".to_owned()];
        let folder = folder.map(|folder| format!("--persist-to={}", folder.to_string_lossy()));
        let words = ["dev".to_owned()].into_iter().chain(place).chain(quiet).chain(folder);
        let args: Vec<String> = words.chain(self.which.iter().cloned()).collect();
        DevServer::start(&self.program, &self.dir, &args)
    }

    /// Returns a command of wrangler about this Worker, for display.
    pub(crate) fn by_hand(&self, words: &str) -> String {
        format!("npx wrangler {words}{}", self.shown)
    }

    fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T> {
        self.json(words, &["--json".to_owned()])
    }

    /// Makes a call and parses what it prints.
    fn json<T: DeserializeOwned>(&self, words: &[&str], options: &[String]) -> Result<T> {
        let printed = self.call(words, options, None, TO_ANSWER)?;
        model::json(&printed)
            .map_err(|why| anyhow!("wrangler {} printed unexpected output: {why}", words.join(" ")))
    }

    /// Makes a call and returns its output for programs.
    fn tell(&self, words: &[&str], options: &[String], patience: Duration) -> Result<String> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let file = folder.path().join("wrangler.ndjson");
        self.call(words, options, Some(&file), patience)?;
        Ok(fs::read_to_string(&file).unwrap_or_default())
    }

    fn call(
        &self,
        words: &[&str],
        options: &[String],
        output_file: Option<&Path>,
        patience: Duration,
    ) -> Result<String> {
        let words = words.iter().map(|word| (*word).to_owned());
        let args = words.chain(options.iter().cloned()).chain(self.which.iter().cloned()).collect();
        WranglerCall { program: &self.program, dir: &self.dir, args, output_file, patience }.run()
    }
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_passes_the_configuration_file() {
        let file = Path::new("a b/w.toml");
        let found = Wrangler::new(Some("node cli.js"), file, Some("green"), None);
        assert_eq!(found.dir, Path::new("a b"));
        assert_eq!(found.which, ["--config=w.toml", "--env=green"]);
        assert_eq!(
            found.by_hand("deployments list"),
            "npx wrangler deployments list \"--config=a b/w.toml\" --env=green"
        );
        let found = Wrangler::new(None, Path::new("wrangler.toml"), None, Some("other"));
        assert_eq!(found.dir, Path::new("."));
        assert_eq!(found.which, ["--config=wrangler.toml", "--env=", "--name=other"]);
    }
}
