//! Everything that a command uses.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use catalog::timestamp::Timestamp;
use indicatif::HumanDuration;
use kv_api::RetryNotice;
use notice::Notice;

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
}

impl<'a, A> Context<'a, A> {
    /// Creates the context of a command.
    pub(crate) fn new(args: &'a A, output: &'a Output) -> Self {
        Self { args, output }
    }

    /// Returns the same context with the arguments of a subcommand.
    pub(crate) fn with<B>(&self, args: &'a B) -> Context<'a, B> {
        Context { args, output: self.output }
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
        let Self { args, output } = *self;
        Session { args, target, store: Store::new(target), output }
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
}

impl<A> Session<'_, A> {
    /// Returns the present time by the clock of the API, which all users of the namespaces share.
    /// Before its first answer, it is that of this computer.
    pub(crate) fn now(&self) -> Timestamp {
        self.target.api.time().map_or_else(now, timestamp)
    }

    /// Warns if the clock of this computer is wrong, as seen from the API.
    pub(crate) fn check_clock(&self) {
        let (own, shared) = (now().unix(), self.now().unix());
        let (apart, what) = match own.checked_sub(shared) {
            Some(ahead) => (ahead, "ahead of"),
            None => (shared - own, "behind"),
        };
        if apart > TOLERANCE {
            self.output.warning(&Notice {
                subject: "clock".to_owned(),
                what: format!(
                    "the clock of this computer is {} {what} that of {}, which is used for the \
                     times in KV",
                    HumanDuration(Duration::from_secs(apart)),
                    self.target.whose
                ),
                help: Some("set it: the tags that are made here have its time".to_owned()),
            });
        }
    }
}

/// The seconds by which two clocks may differ without a notice.
const TOLERANCE: u64 = 60;

/// Returns the present time; the pure crates have no clock.
fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Reports calls that are retried.
fn retry_notice(output: &Output) -> RetryNotice {
    let output = output.clone();
    Box::new(move |error, wait| {
        output.say(format_args!("       {error}; again in {}", took(wait)));
    })
}
