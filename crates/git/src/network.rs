//! Runs Git against a remote: without prompts, over known protocols, within a time limit.

use std::io::{ErrorKind, IsTerminal as _, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::one_line;
use crate::write::Ran;

/// The transports that are built into Git. `ext::` and remote helpers would run a program that
/// an address names.
const PROTOCOLS: [&str; 5] = ["file", "git", "http", "https", "ssh"];

/// The time limits for a call of a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The longest time without a byte from Git.
    pub idle: Duration,
    /// The longest time in total.
    pub total: Duration,
}

impl Limit {
    /// Creates the limits of a transfer: it may take ten times as long as the remote may be
    /// silent.
    pub fn of_silence(idle: Duration) -> Self {
        Self { idle, total: idle.saturating_mul(10) }
    }

    /// Returns the limits of a call during which Git prints nothing, also if all is well: only
    /// the total counts.
    #[must_use]
    pub fn of_total(self) -> Self {
        Self { idle: self.total, ..self }
    }
}

/// The reason why a remote did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Git could not be started.
    Start(String),
    /// The remote sent nothing for this long.
    Silent(Duration),
    /// The call was still running after this time.
    Slow(Duration),
    /// Git failed with this error message.
    Said(String),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => write!(f, "git could not be started: {error}"),
            Self::Silent(limit) => write!(f, "it sent nothing for {} s", limit.as_secs_f64()),
            Self::Slow(limit) => write!(f, "it was not done after {} s", limit.as_secs_f64()),
            Self::Said(said) => f.write_str(said),
        }
    }
}

impl std::error::Error for Unanswered {}

/// Returns the value of `GIT_ALLOW_PROTOCOL`: those of [`PROTOCOLS`] that the user allows.
fn protocols(users: Option<&str>) -> String {
    let allowed =
        |name: &&str| users.is_none_or(|users| users.split(':').any(|user| user == *name));
    PROTOCOLS.into_iter().filter(allowed).collect::<Vec<_>>().join(":")
}

/// The option of `ls-remote` and `fetch` that replaces `remote.<name>.uploadpack`, which names a
/// program.
pub(crate) const UPLOAD_PACK: &str = "--upload-pack=git-upload-pack";

/// Restricts a command of the user's Git to the allowed protocols.
pub(crate) fn restrict_protocols(command: &mut Command) {
    let users = std::env::var("GIT_ALLOW_PROTOCOL").ok();
    command.env("GIT_ALLOW_PROTOCOL", protocols(users.as_deref()));
}

/// Restricts a command of the user's Git to the allowed protocols and disables prompts.
pub(crate) fn restrict(command: &mut Command) {
    restrict_protocols(command);
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1");
}

/// An event on one of the two output pipes of Git.
enum Event {
    Printed(Vec<u8>),
    Said(Vec<u8>),
}

/// Runs Git to its end, with `input` on stdin, and returns what it printed.
///
/// # Errors
///
/// [`Unanswered`]. Git and its child processes are killed first.
pub(crate) fn run(
    command: &mut Command,
    input: Vec<u8>,
    limit: Limit,
) -> Result<Vec<u8>, Unanswered> {
    let (status, printed, said) = run_to_end(command, input, limit)?;
    ended(status, printed, &said)
}

/// Runs Git to its end. An exit code is not an error: see [`Ran`].
///
/// # Errors
///
/// [`Unanswered`], but not [`Unanswered::Said`]. Git and its child processes are killed first.
pub(crate) fn run_any(command: &mut Command, limit: Limit) -> Result<Ran, Unanswered> {
    let (status, stdout, stderr) = run_to_end(command, Vec::new(), limit)?;
    Ok(Ran { ok: status.success(), stdout, stderr })
}

fn run_to_end(
    command: &mut Command,
    input: Vec<u8>,
    limit: Limit,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), Unanswered> {
    let grouped = group(command);
    let start = |error: std::io::Error| {
        Unanswered::Start(match error.kind() {
            ErrorKind::NotFound => "it was not found on the PATH".to_owned(),
            _ => error.to_string(),
        })
    };
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(start)?;
    let events = listen(&mut child, input);
    match collect(&events, limit) {
        Ok((printed, said)) => Ok((child.wait().map_err(start)?, printed, said)),
        Err(late) => {
            kill(&mut child, grouped);
            Err(late)
        }
    }
}

fn ended(status: ExitStatus, printed: Vec<u8>, said: &[u8]) -> Result<Vec<u8>, Unanswered> {
    if status.success() {
        return Ok(printed);
    }
    let said = one_line(said);
    Err(Unanswered::Said(if said.is_empty() { format!("git ended with {status}") } else { said }))
}

/// Writes `input` to stdin of Git and sends the output of both pipes as events.
fn listen(child: &mut Child, input: Vec<u8>) -> Receiver<Event> {
    let (sender, events) = channel();
    if let Some(mut stdin) = child.stdin.take() {
        // If Git fails, it stops reading its input and prints the reason.
        thread::spawn(move || stdin.write_all(&input));
    }
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone(), Event::Printed);
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender, Event::Said);
    }
    events
}

fn forward(mut pipe: impl Read + Send + 'static, to: Sender<Event>, event: fn(Vec<u8>) -> Event) {
    thread::spawn(move || {
        let mut chunk = vec![0; 1 << 16];
        while let Ok(read @ 1..) = pipe.read(&mut chunk) {
            let bytes = chunk.get(..read).unwrap_or_default().to_vec();
            if to.send(event(bytes)).is_err() {
                return;
            }
        }
    });
}

/// Collects stdout and the end of stderr until both pipes are closed.
fn collect(events: &Receiver<Event>, limit: Limit) -> Result<(Vec<u8>, Vec<u8>), Unanswered> {
    /// Most of stderr is progress. Only its end says why Git failed.
    const KEPT: usize = 16_384;
    let (mut printed, mut said) = (Vec::new(), Vec::new());
    let end = Instant::now() + limit.total;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match events.recv_timeout(limit.idle.min(left)) {
            Ok(Event::Printed(bytes)) => printed.extend(bytes),
            Ok(Event::Said(bytes)) => {
                said.extend(bytes);
                said.drain(..said.len().saturating_sub(KEPT));
            }
            Err(RecvTimeoutError::Disconnected) => return Ok((printed, said)),
            Err(RecvTimeoutError::Timeout) if left <= limit.idle => {
                return Err(Unanswered::Slow(limit.total));
            }
            Err(RecvTimeoutError::Timeout) => return Err(Unanswered::Silent(limit.idle)),
        }
    }
}

/// Starts Git in its own process group, so that its helpers can be killed with it. This is not
/// done on a terminal, where `ssh` may ask for a passphrase and must be in the foreground.
#[cfg(unix)]
fn group(command: &mut Command) -> bool {
    use std::os::unix::process::CommandExt as _;
    let grouped = !std::io::stdin().is_terminal();
    if grouped {
        command.process_group(0);
    }
    grouped
}

#[cfg(not(unix))]
fn group(_: &mut Command) -> bool {
    false
}

#[cfg(unix)]
fn kill(child: &mut Child, grouped: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if grouped {
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(not(unix))]
fn kill(child: &mut Child, _: bool) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Limit) -> Result<Vec<u8>, Unanswered> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        run(&mut command, b"in".to_vec(), limit)
    }

    const SHORT: Limit =
        Limit { idle: Duration::from_millis(400), total: Duration::from_millis(1500) };

    #[test]
    fn run_passes_stdin_and_reports_stderr_on_failure() {
        assert_eq!(sh("cat", SHORT), Ok(b"in".to_vec()));
        assert_eq!(sh("echo why >&2; exit 3", SHORT), Err(Unanswered::Said("why".to_owned())));
    }

    #[test]
    fn run_any_keeps_the_output_of_a_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo done; echo why >&2; exit 1"]);
        let ran = run_any(command.stdout(Stdio::piped()).stderr(Stdio::piped()), SHORT).unwrap();
        assert_eq!((ran.ok, &*ran.stdout, &*ran.stderr), (false, &b"done\n"[..], &b"why\n"[..]));
    }

    #[test]
    fn silent_or_slow_commands_are_killed_with_their_children() {
        let began = Instant::now();
        assert_eq!(sh("sleep 60 & sleep 60", SHORT), Err(Unanswered::Silent(SHORT.idle)));
        let endless = "while true; do echo more >&2; sleep 0.1; done";
        assert_eq!(sh(endless, SHORT), Err(Unanswered::Slow(SHORT.total)));
        assert!(began.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn the_user_can_only_narrow_the_protocols() {
        assert_eq!(protocols(None), "file:git:http:https:ssh");
        assert_eq!(protocols(Some("https:ext")), "https");
    }
}
