//! A configuration, found and read, for one environment.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use catalog::key::Namespace;

use super::document::{self, Binding, Document};
use super::environment::{self, Section};
use super::find::{self, Found};

/// A configuration of wrangler, and the environment in it that is meant.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file.
    pub(crate) file: PathBuf,
    document: Document,
    environment: Option<String>,
    /// Whether a build tool made the file for the one environment.
    redirected: bool,
}

/// Reads the configuration `named`, else the one that wrangler takes in this folder;
/// `None` if there is none.
///
/// # Errors
///
/// If a configuration cannot be read, or if two of them are for the resolver and say
/// different things.
pub(crate) fn load(named: Option<&Path>, environment: Option<&str>) -> Result<Option<Config>> {
    if let Some(file) = named {
        let found = Found { file: file.to_owned(), redirected: false };
        return read(found, environment).map(Some);
    }
    let folder = env::current_dir().context("can't tell the folder that this is")?;
    find_in(&folder, environment)
}

/// Reads the configuration that wrangler takes in `folder`.
pub(super) fn find_in(folder: &Path, environment: Option<&str>) -> Result<Option<Config>> {
    let found = find::candidates(folder)?.into_iter();
    let all: Result<Vec<Config>> = found.map(|found| read(found, environment)).collect();
    choose(all?)
}

fn read(Found { file, redirected }: Found, environment: Option<&str>) -> Result<Config> {
    let document = document::read(&file)?;
    let environment = environment.map(str::to_owned);
    Ok(Config { file, document, environment, redirected })
}

/// Wrangler's own choice comes first. Another app's, in a parent folder, is left out if
/// one of the others is for the resolver.
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
    /// The name of the Worker that the environment is deployed as.
    ///
    /// # Errors
    ///
    /// If there is no such environment, or no name.
    pub(crate) fn worker_name(&self) -> Result<String> {
        let name = self.section()?.name;
        let missing = || anyhow!("{} gives the Worker no `name`", self.file.display());
        name.ok_or_else(missing)
    }

    /// The account that it is deployed to, if the configuration says so.
    ///
    /// # Errors
    ///
    /// If there is no such environment.
    pub(crate) fn account_id(&self) -> Result<Option<String>> {
        Ok(self.section()?.account_id.map(str::to_owned))
    }

    /// The environment to name in a call of wrangler with this file: a build tool's file
    /// has none.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref().filter(|_| !self.redirected)
    }

    /// What it says about the environment.
    ///
    /// # Errors
    ///
    /// If there is no such environment.
    pub(super) fn section(&self) -> Result<Section<'_>> {
        let within = || format!("in {}", self.file.display());
        if self.redirected {
            environment::refuse_other_target(&self.document, self.environment.as_deref())
                .with_context(within)?;
        }
        environment::section(&self.document, self.environment()).with_context(within)
    }

    /// Whether any of its environments binds a namespace of the resolver.
    pub(super) fn is_for_the_resolver(&self) -> bool {
        let own = |binding: &Binding| is_own(&binding.binding);
        let Document { kv_namespaces, env, .. } = &self.document;
        let environments = env.values().flat_map(|environment| &environment.kv_namespaces);
        kv_namespaces.iter().chain(environments).any(own)
    }

    /// The names of its environments.
    pub(super) fn environments(&self) -> impl Iterator<Item = &str> {
        self.document.env.keys().map(String::as_str)
    }
}
