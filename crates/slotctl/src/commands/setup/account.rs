//! What is missing in the account, and how it is made.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use catalog::key::Namespace;
use notice::Refused;
use serde_json::json;
use tempfile::NamedTempFile;

use super::step::Step;
use crate::config::{self, Config};
use crate::output::Output;
use crate::read_token::ReadToken;
use crate::wrangler::{Wrangler, account};

/// The name of the secret with the read tokens.
const READ_TOKENS: &str = "READ_TOKENS";

/// The Worker to set up.
pub(super) struct Setup<'a> {
    pub(super) config: &'a Config,
    pub(super) wrangler: &'a Wrangler,
    /// The same wrangler, without the environment.
    pub(super) top_level: &'a Wrangler,
    /// True if everybody may read.
    pub(super) public: bool,
}

/// What a setup has made.
#[derive(Default)]
pub(super) struct Done {
    /// The new read token.
    pub(super) token: Option<String>,
    /// The addresses of a new deployment.
    pub(super) addresses: Vec<String>,
}

impl Setup<'_> {
    /// Lists the steps that are missing. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong, or wrangler fails.
    pub(super) fn missing(&self) -> Result<Vec<Step>> {
        let mut steps = self.namespaces()?;
        let secrets = account::secret_names(self.wrangler)?;
        let is_protected = self.public
            || self.config.sets(READ_TOKENS)
            || secrets.iter().flatten().any(|name| name == READ_TOKENS);
        let is_deployed = secrets.is_some() && self.is_deployed()?;
        match (is_deployed, is_protected) {
            (false, _) => steps.push(Step::Deploy { with_token: !is_protected }),
            (true, false) => steps.push(Step::Protect),
            (true, true) => {}
        }
        Ok(steps)
    }

    fn namespaces(&self) -> Result<Vec<Step>> {
        let worker = self.config.worker_name()?;
        let bindings = [Namespace::Slots, Namespace::Components].map(Namespace::binding);
        let mut open = Vec::new();
        for binding in bindings {
            if config::lacks_id(self.config, binding)? {
                open.push(binding);
            }
        }
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let all = account::namespaces(self.top_level)?;
        let steps = open.into_iter().map(|binding| {
            let title = config::provisioned_title(&worker, binding);
            match all.iter().find(|namespace| namespace.title == title) {
                Some(namespace) => Step::Take { binding, title, id: namespace.id.clone() },
                None => Step::Create { binding, title },
            }
        });
        Ok(steps.collect())
    }

    fn is_deployed(&self) -> Result<bool> {
        match self.wrangler.active() {
            Ok(_) => Ok(true),
            Err(error) if account::is_unknown_worker(&error.to_string()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the command that does a step by hand.
    pub(super) fn by_hand(&self, step: &Step) -> String {
        let wrangler = |words: &str| self.wrangler.by_hand(words);
        match step {
            Step::Take { .. } => self.top_level.by_hand("kv namespace list"),
            Step::Create { title, .. } => {
                self.top_level.by_hand(&format!("kv namespace create {title}"))
            }
            Step::Deploy { with_token: true } => wrangler("deploy --secrets-file FILE"),
            Step::Deploy { with_token: false } => wrangler("deploy"),
            Step::Protect => wrangler("secret put READ_TOKENS"),
        }
    }

    /// Carries out a step.
    ///
    /// # Errors
    ///
    /// If wrangler fails, or the configuration cannot be written. Steps before are done, and a next
    /// run leaves them out.
    pub(super) fn carry_out(&self, step: &Step, done: &mut Done, output: &Output) -> Result<()> {
        let began = Instant::now();
        match step {
            Step::Take { binding, id, .. } => self.put_id(binding, id)?,
            Step::Create { binding, title } => {
                account::create_namespace(self.top_level, title)?;
                self.put_id(binding, &self.created(title)?)?;
            }
            Step::Deploy { with_token } => self.deploy(*with_token, done)?,
            Step::Protect => {
                let (token, file) = secrets()?;
                account::put_secrets(self.wrangler, file.path())?;
                done.token = Some(token);
            }
        }
        output.step("setup", step, began);
        Ok(())
    }

    /// Returns the id of a namespace that was just created.
    fn created(&self, title: &str) -> Result<String> {
        let all = account::namespaces(self.top_level)?;
        let own = all.into_iter().find(|namespace| namespace.title == title);
        let missing = || {
            let what = "it was created, and the account does not list it yet";
            Refused::new(title, what, "run the command again")
        };
        Ok(own.ok_or_else(missing)?.id)
    }

    fn put_id(&self, binding: &str, id: &str) -> Result<()> {
        config::set_namespace_id(&self.config.file, self.config.environment(), binding, id)
    }

    fn deploy(&self, with_token: bool, done: &mut Done) -> Result<()> {
        let secrets = if with_token { Some(secrets()?) } else { None };
        let file = secrets.as_ref().map(|(_, file)| file.path());
        done.addresses = account::deploy_all(self.wrangler, file)?;
        done.token = secrets.map(|(token, _)| token);
        Ok(())
    }
}

/// Creates a read token for everything, and a file with the secret that the Worker stores for it. Only
/// this user can read the file, and it has the token's hash, not the token.
fn secrets() -> Result<(String, NamedTempFile)> {
    let token = ReadToken::new(&["*".to_owned()])?;
    let builder = tempfile::Builder::new().suffix(".json").tempfile();
    let mut file = builder.context("cannot create a temporary file")?;
    let secrets = json!({ READ_TOKENS: token.entry.to_string() });
    write!(file, "{secrets}").and_then(|()| file.flush()).context("cannot write the secrets")?;
    Ok((token.token, file))
}
