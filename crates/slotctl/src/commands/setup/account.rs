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
        let has_secret = secrets.iter().flatten().any(|name| name == READ_TOKENS);
        let has_tokens = has_secret || self.config.sets(READ_TOKENS);
        if self.public && has_tokens {
            return Err(self.not_public(has_secret).into());
        }
        let is_protected = self.public || has_tokens;
        let is_deployed = secrets.is_some() && self.is_deployed()?;
        match (is_deployed, is_protected) {
            (false, _) => steps.push(Step::Deploy { with_token: !is_protected }),
            (true, false) => steps.push(Step::Protect),
            (true, true) => {}
        }
        Ok(steps)
    }

    /// Returns the refusal of `--public` for a Worker that demands a token.
    fn not_public(&self, has_secret: bool) -> Refused {
        let what =
            format!("the Worker has {READ_TOKENS}, so --public would not let everybody read");
        let first = match has_secret {
            true => format!("`{}`", self.wrangler.by_hand(&format!("secret delete {READ_TOKENS}"))),
            false => format!("remove it from {}", self.config.file.display()),
        };
        Refused::new("setup", what, format!("{first} first, or leave out --public"))
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
                let file = secrets(done)?;
                account::put_secrets(self.wrangler, file.path())?;
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
        let secrets = if with_token { Some(secrets(done)?) } else { None };
        let file = secrets.as_ref().map(NamedTempFile::path);
        done.addresses = account::deploy_all(self.wrangler, file)?;
        Ok(())
    }
}

/// Creates a read token for everything, and a file with the secret that the Worker stores for it. Only
/// this user can read the file, and it has the token's hash, not the token. The token counts as made
/// from now on: wrangler may fail after the Worker has it.
fn secrets(done: &mut Done) -> Result<NamedTempFile> {
    let token = ReadToken::new(&["*".to_owned()])?;
    let builder = tempfile::Builder::new().suffix(".json").tempfile();
    let mut file = builder.context("cannot create a temporary file")?;
    let secrets = json!({ READ_TOKENS: token.entry.to_string() });
    write!(file, "{secrets}").and_then(|()| file.flush()).context("cannot write the secrets")?;
    done.token = Some(token.token);
    Ok(file)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    /// Makes a folder with a configuration, and a wrangler whose Worker has these secrets. It fails
    /// to deploy.
    fn project(secrets: &str) -> (TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wrangler.json");
        let ids =
            ["SLOTS", "COMPONENTS"].map(|name| json!({ "binding": name, "id": "0".repeat(32) }));
        fs::write(&file, json!({ "name": "a", "kv_namespaces": ids }).to_string()).unwrap();
        let script = format!("#!/bin/sh\ntest \"$1\" = secret && echo '{secrets}'\n");
        let program = folder.path().join("wrangler");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let config = config::load(Some(&file), None).unwrap().unwrap();
        (folder, config)
    }

    fn wrangler(folder: &TempDir, config: &Config) -> Wrangler {
        let program = folder.path().join("wrangler");
        Wrangler::new(program.to_str(), &config.file, None, None)
    }

    #[test]
    fn public_is_refused_for_a_worker_with_tokens() {
        let (folder, config) = project(r#"[{"name":"READ_TOKENS"}]"#);
        let wrangler = wrangler(&folder, &config);
        let setup =
            Setup { config: &config, wrangler: &wrangler, top_level: &wrangler, public: true };
        let refused = setup.missing().unwrap_err();
        let Some(Refused(notice)) = refused.downcast_ref() else { panic!("{refused}") };
        let help = notice.help.as_deref().unwrap_or_default();
        assert!(help.starts_with("`npx wrangler secret delete READ_TOKENS --config="), "{help}");
        assert!(help.contains(" --env=` first"), "{help}");
    }

    #[test]
    fn a_token_is_known_although_its_upload_failed() {
        let (folder, config) = project("[]");
        let wrangler = wrangler(&folder, &config);
        let setup =
            Setup { config: &config, wrangler: &wrangler, top_level: &wrangler, public: false };
        let mut done = Done::default();
        let step = Step::Deploy { with_token: true };
        assert!(setup.carry_out(&step, &mut done, &Output::new(None)).is_err());
        assert!(done.token.is_some_and(|token| token.starts_with("crt_")));
    }
}
