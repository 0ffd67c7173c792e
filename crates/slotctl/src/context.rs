//! Everything that a command uses.

use std::time::SystemTime;

use anyhow::Result;
use catalog::timestamp::Timestamp;
use kv_api::RetryNotice;

use crate::args::TargetArgs;
use crate::output::{Output, took};
use crate::store::Store;
use crate::target::KvTarget;

/// A command without Workers KV.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a, A> {
    /// The command's arguments.
    pub(crate) args: &'a A,
    /// The terminal.
    pub(crate) output: &'a Output,
    /// The time at which the command began.
    pub(crate) now: Timestamp,
}

impl<'a, A> Context<'a, A> {
    /// Creates the context of a command that begins now.
    pub(crate) fn new(args: &'a A, output: &'a Output) -> Self {
        Self { args, output, now: now() }
    }

    /// Returns the same context with the arguments of a subcommand.
    pub(crate) fn with<B>(&self, args: &'a B) -> Context<'a, B> {
        Context { args, output: self.output, now: self.now }
    }

    /// Returns the target that the command line names.
    ///
    /// # Errors
    ///
    /// See [`KvTarget::new`].
    pub(crate) fn target(&self, args: &TargetArgs) -> Result<KvTarget> {
        KvTarget::new(args, retry_notice(self.output))
    }

    /// Returns the same command with the Workers KV of `target`.
    pub(crate) fn session(&self, target: &'a KvTarget) -> Session<'a, A> {
        let Self { args, output, now } = *self;
        Session { args, target, store: Store::new(target), output, now }
    }
}

/// A command with Workers KV.
#[derive(Debug)]
pub(crate) struct Session<'a, A> {
    /// The command's arguments.
    pub(crate) args: &'a A,
    /// The API and the ids of the namespaces.
    pub(crate) target: &'a KvTarget,
    /// The namespaces.
    pub(crate) store: Store<'a>,
    /// The terminal.
    pub(crate) output: &'a Output,
    /// The time at which the command began.
    pub(crate) now: Timestamp,
}

/// Returns the present time; the pure crates have no clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Reports calls that are retried.
fn retry_notice(output: &Output) -> RetryNotice {
    let output = output.clone();
    Box::new(move |error, wait| {
        output.say(format_args!("       {error}; again in {}", took(wait)));
    })
}
