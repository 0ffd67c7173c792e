//! Finds and reads wrangler's configuration for one environment.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use catalog::key::Namespace;
use notice::Refused;

use super::document::{self, Binding, Document};
use super::environment::{self, Section, chosen};
use super::find::{self, ConfigFile};
use super::home::Home;

/// A configuration of wrangler and the chosen environment.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    document: Document,
    environment: Option<String>,
    /// True if a build tool made the file for one environment.
    redirected: bool,
}

/// Reads the configuration `named`, else the one that wrangler uses in this folder. Returns
/// `None` if there is no configuration.
///
/// # Errors
///
/// If a configuration cannot be read, or if two of them are for the resolver and differ.
pub(crate) fn load(named: Option<&Path>, environment: Option<&str>) -> Result<Option<Config>> {
    if let Some(file) = named {
        let found = ConfigFile { file: file.to_owned(), redirected: false };
        return read(found, environment).map(Some);
    }
    let folder = env::current_dir().context("can't tell the folder that this is")?;
    find_in(&folder, environment)
}

/// Reads the configuration for a command about the Worker, which cannot do without one. `env` is
/// the value of `--env`, `help` says where there is a configuration.
///
/// # Errors
///
/// As [`load`] and [`chosen`], and [`Refused`] if there is no configuration.
pub(crate) fn require(
    named: Option<&Path>,
    env: Option<&str>,
    command: &str,
    help: &str,
) -> Result<Config> {
    let environment = chosen(env, Home::Cloudflare)?;
    load(named, environment.as_deref())?.ok_or_else(|| {
        let what = "there is no wrangler.json, wrangler.jsonc or wrangler.toml in this folder \
                    or above it";
        Refused::new(command, what, help).into()
    })
}

/// Reads the configuration that wrangler uses in `folder`.
pub(super) fn find_in(folder: &Path, environment: Option<&str>) -> Result<Option<Config>> {
    let found = find::candidates(folder)?.into_iter();
    let all: Result<Vec<Config>> = found.map(|found| read(found, environment)).collect();
    choose(all?)
}

fn read(ConfigFile { file, redirected }: ConfigFile, environment: Option<&str>) -> Result<Config> {
    let document = document::read(&file)?;
    let environment = environment.map(str::to_owned);
    Ok(Config { file, document, environment, redirected })
}

/// Chooses a configuration. Wrangler's own choice comes first, unless it is for another app and
/// a later one is for the resolver.
fn choose(all: Vec<Config>) -> Result<Option<Config>> {
    let (ours, others): (Vec<_>, Vec<_>) = all.into_iter().partition(Config::is_for_the_resolver);
    let mut ours = ours.into_iter();
    let Some(first) = ours.next() else { return Ok(others.into_iter().next()) };
    match ours.find(|other| !says_the_same(&first, other)) {
        None => Ok(Some(first)),
        Some(other) => bail!(
            "{} and {} both bind {} and {}, and differ: wrangler takes the first; \
             `--config FILE` names the one to use",
            first.file.display(),
            other.file.display(),
            Namespace::Slots.binding(),
            Namespace::Components.binding()
        ),
    }
}

fn says_the_same(one: &Config, other: &Config) -> bool {
    match (one.section(), other.section()) {
        (Ok(one), Ok(other)) => {
            let own = |section: &Section<'_>| -> Vec<Binding> {
                let bindings = section.bindings.iter();
                let mut own: Vec<_> = bindings.filter(|b| is_own(&b.binding)).cloned().collect();
                own.sort_by(|one, other| one.binding.cmp(&other.binding));
                own
            };
            let worker = |section: &Section<'_>| (section.name.clone(), own(section));
            worker(&one) == worker(&other) && one.account_id == other.account_id
        }
        _ => false,
    }
}

fn is_own(binding: &str) -> bool {
    [Namespace::Slots, Namespace::Components].iter().any(|own| own.binding() == binding)
}

impl Config {
    /// Returns the name of the Worker in this environment.
    ///
    /// # Errors
    ///
    /// If the environment or the name does not exist.
    pub(crate) fn worker_name(&self) -> Result<String> {
        let name = self.section()?.name;
        let missing = || anyhow!("{} gives the Worker no `name`", self.file.display());
        name.ok_or_else(missing)
    }

    /// Returns the account of the Worker, if the configuration names one.
    ///
    /// # Errors
    ///
    /// If the environment does not exist.
    pub(crate) fn account_id(&self) -> Result<Option<String>> {
        Ok(self.section()?.account_id.map(str::to_owned))
    }

    /// Tells if the environment sets this variable, or binds it to a secret of a Secrets Store.
    /// An environment inherits neither.
    pub(crate) fn sets(&self, variable: &str) -> bool {
        let own = self.environment().and_then(|name| self.document.env.get(name));
        let (vars, secrets) = match (self.environment(), own) {
            (Some(_), Some(own)) => (&own.vars, &own.secrets_store_secrets),
            _ => (&self.document.vars, &self.document.secrets_store_secrets),
        };
        vars.contains_key(variable) || secrets.iter().any(|secret| secret.binding == variable)
    }

    /// Returns the environment to pass to wrangler with this file. A file made by a build tool
    /// needs none.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref().filter(|_| !self.redirected)
    }

    /// Returns the settings of the environment.
    ///
    /// # Errors
    ///
    /// If the environment does not exist.
    pub(super) fn section(&self) -> Result<Section<'_>> {
        let within = || format!("in {}", self.file.display());
        if self.redirected {
            environment::refuse_other_target(&self.document, self.environment.as_deref())
                .with_context(within)?;
        }
        environment::section(&self.document, self.environment()).with_context(within)
    }

    /// Tells if any of its environments binds a namespace of the resolver.
    pub(super) fn is_for_the_resolver(&self) -> bool {
        let own = |binding: &Binding| is_own(&binding.binding);
        let Document { kv_namespaces, env, .. } = &self.document;
        let environments = env.values().flat_map(|environment| &environment.kv_namespaces);
        kv_namespaces.iter().chain(environments).any(own)
    }

    /// Lists the names of its environments.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &str> {
        self.document.env.keys().map(String::as_str)
    }
}
