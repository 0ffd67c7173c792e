//! Makes deployments while somebody else may deploy too. Before each one it checks that the
//! active deployment is the one that this run knows, and again afterwards if the result is
//! unclear.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::target;
use crate::wrangler::Wrangler;
use notice::Refused;
use release::message::DeploymentMessage;
use release::model::{Deployment, Id};
use release::percent::Percent;

/// The number of times that a rollback is tried again, and the first wait. Each further wait
/// is twice as long as the one before.
const AGAIN: usize = 4;
const WAIT: Duration = Duration::from_secs(1);

/// The deployments of one run.
pub(crate) struct Deployments<'a> {
    pub(crate) wrangler: &'a Wrangler,
    /// The deployment that this run found or made last.
    active: Id,
    /// The deployment that this run requested last. It may have been made although the call
    /// failed.
    asked: Option<Asked>,
}

/// A deployment that was requested.
struct Asked {
    versions: Vec<(Id, Percent)>,
    message: String,
}

/// The error that somebody else made a deployment during the release and controls it now.
#[derive(Debug)]
pub(crate) struct Interfered;

impl<'a> Deployments<'a> {
    /// Creates the deployments of a run that found `active` as the active deployment.
    pub(crate) fn new(wrangler: &'a Wrangler, active: Id) -> Self {
        Self { wrangler, active, asked: None }
    }

    /// Makes a deployment.
    ///
    /// # Errors
    ///
    /// If wrangler fails. A refusal with [`Interfered`] as its context if somebody else
    /// deployed; that deployment is left as it is.
    pub(crate) fn make(
        &mut self,
        versions: &[(Id, Percent)],
        message: &DeploymentMessage,
    ) -> Result<()> {
        self.look()?;
        let asked = Asked { versions: versions.to_vec(), message: message.to_string() };
        let made = self.wrangler.deploy(versions, &asked.message);
        self.asked = Some(asked);
        if let Ok(Some(id)) = made {
            self.active = id;
            return Ok(());
        }
        // A call that failed may have taken effect nevertheless.
        let before = self.active.clone();
        self.look()?;
        match made {
            _ if self.active != before => Ok(()),
            Ok(_) => bail!("wrangler says that it deployed, Cloudflare does not"),
            Err(error) => Err(error),
        }
    }

    /// Gives all traffic to the old version, and tries that several times.
    ///
    /// # Errors
    ///
    /// The same as of [`Self::make`].
    pub(crate) fn back(&mut self, old: &Id, new: &Id, why: &str) -> Result<()> {
        let message = DeploymentMessage::Back { new: new.clone(), why: why.to_owned() };
        let mut left = target::patience()?.retries.unwrap_or(AGAIN);
        let mut wait = WAIT;
        loop {
            match self.make(&[(old.clone(), Percent::ALL)], &message) {
                Err(error) if left > 0 && !is_interfered(&error) => {}
                ended => return ended,
            }
            sleep(wait);
            (left, wait) = (left - 1, wait * 2);
        }
    }

    /// Reads the active deployment; fails with [`Interfered`] if this run did not find or
    /// request it.
    fn look(&mut self) -> Result<()> {
        let active = self.wrangler.active()?;
        if active.id == self.active {
            return Ok(());
        }
        if self.asked.as_ref().is_some_and(|asked| asked.became(&active)) {
            self.active = active.id;
            return Ok(());
        }
        let shares: Vec<String> =
            active.versions.iter().map(|(id, share)| format!("{share} % {id}")).collect();
        let what = format!("somebody else deployed during the release: {}", shares.join(", "));
        let list = self.wrangler.by_hand("deployments list");
        let help = format!("it is left as it is; {list} shows who did");
        Err(anyhow::Error::new(Refused::new(active.id.as_str(), what, help))).context(Interfered)
    }
}

impl Asked {
    /// Tells if a deployment is the one that was requested. Cloudflare may return its versions
    /// in another order.
    fn became(&self, active: &Deployment) -> bool {
        self.versions.len() == active.versions.len()
            && self.versions.iter().all(|share| active.versions.contains(share))
            && self.message == active.message
    }
}

/// Tells if an error means that somebody else deployed during the release.
pub(crate) fn is_interfered(error: &anyhow::Error) -> bool {
    error.is::<Interfered>()
}

impl std::fmt::Display for Interfered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this run no longer controls the release")
    }
}
