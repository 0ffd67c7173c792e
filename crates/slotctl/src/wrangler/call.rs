//! One call of the executable: limited in time and size, with output that is safe to show.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use notice::printable;

/// The largest output in bytes: more than `versions view` of a Worker with many bindings
/// prints.
const LARGEST_OUTPUT: u64 = 8 << 20;

/// The interval at which the end of the call is polled.
const LOOK: Duration = Duration::from_millis(10);

/// The environment variables whose values are secret and must not be shown.
pub(super) const SECRETS: [&str; 5] =
    ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CF_API_TOKEN", "CF_API_KEY", "RESOLVER_TOKEN"];

/// A call to make.
pub(super) struct WranglerCall<'a> {
    pub(super) program: &'a [OsString],
    pub(super) dir: &'a Path,
    pub(super) args: Vec<String>,
    /// The file to which wrangler writes its output for programs.
    pub(super) output_file: Option<&'a Path>,
    pub(super) patience: Duration,
}

impl WranglerCall<'_> {
    /// Returns the call for display.
    fn shown(&self) -> String {
        let args = self.args.iter().map(String::as_str);
        let words = args.take_while(|arg| !arg.starts_with('-')).collect::<Vec<_>>();
        format!("wrangler {}", words.join(" "))
    }

    /// Runs the call to its end and returns its stdout.
    ///
    /// # Errors
    ///
    /// If it cannot be started, takes too long or fails; the error contains its message.
    pub(super) fn run(&self) -> Result<String> {
        let mut child = self.start()?;
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        let ended = self.wait(&mut child);
        let text = |bytes: thread::JoinHandle<Vec<u8>>| bytes.join().unwrap_or_default();
        // The pipes are not read to their end: a child process may still hold them.
        let Some(status) = ended? else {
            bail!("{} took more than {:?} and was ended", self.shown(), self.patience)
        };
        let (out, err) = (text(out), text(err));
        if status.success() {
            return Ok(String::from_utf8_lossy(&out).into_owned());
        }
        let message = message(if err.trim_ascii().is_empty() { &out } else { &err });
        bail!("{} ended with {}: {message}", self.shown(), code(status))
    }

    fn start(&self) -> Result<Child> {
        let mut command = command(self.program, self.dir)?;
        command.args(&self.args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match self.output_file {
            Some(file) => command.env("WRANGLER_OUTPUT_FILE_PATH", file),
            None => command.env_remove("WRANGLER_OUTPUT_FILE_PATH"),
        };
        command.spawn().map_err(|error| not_started(self.program, &error))
    }

    /// Waits for the end of the call, up to the time limit.
    fn wait(&self, child: &mut Child) -> Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().context("can't wait for wrangler")? {
                return Ok(Some(status));
            }
            if began.elapsed() > self.patience {
                // The process may have ended in the meantime.
                let _ = child.kill();
                let _ = child.wait();
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }
}

/// Returns the command that starts wrangler in `dir`, without arguments.
pub(super) fn command(program: &[OsString], dir: &Path) -> Result<Command> {
    let (program, first) = program.split_first().context("the command is empty")?;
    let mut command = Command::new(program);
    command.args(first).current_dir(dir);
    command.envs([("NO_COLOR", "1"), ("CI", "1"), ("WRANGLER_SEND_METRICS", "false")]);
    // Wrangler does not need the token of callers.
    command.env_remove("RESOLVER_TOKEN").env_remove("WRANGLER_OUTPUT_FILE_DIRECTORY");
    Ok(command)
}

/// Returns the error for a wrangler that could not be started.
pub(super) fn not_started(program: &[OsString], error: &io::Error) -> anyhow::Error {
    let program = program.first().map(|word| printable(word.as_encoded_bytes()));
    match error.kind() {
        io::ErrorKind::NotFound => anyhow!(
            "{} was not found: `npm ci` beside wrangler's configuration installs it, \
             --wrangler COMMAND names another",
            program.unwrap_or_default()
        ),
        _ => anyhow!("wrangler could not be started: {error}"),
    }
}

fn code(status: ExitStatus) -> String {
    status.code().map_or("a signal".to_owned(), |code| format!("code {code}"))
}

/// Reads a pipe in its own thread: a full pipe would block the call.
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut bytes, Some(mut pipe)) = (Vec::new(), pipe) else { return Vec::new() };
        // An incomplete message is better than none.
        let _ = pipe.by_ref().take(LARGEST_OUTPUT).read_to_end(&mut bytes);
        let _ = io::copy(&mut pipe, &mut io::sink());
        bytes
    })
}

/// Returns the last lines of a message, without colours and secrets.
pub(super) fn message(bytes: &[u8]) -> String {
    const LINES: usize = 8;
    let text = String::from_utf8_lossy(bytes);
    let plain = console::strip_ansi_codes(&text).into_owned();
    let lines: Vec<&str> = plain.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    let shown = printable(last.join(" | ").as_bytes());
    let secrets = SECRETS.iter().filter_map(|name| std::env::var(name).ok());
    conceal(shown, secrets)
}

/// Removes every secret from the text.
fn conceal(text: String, secrets: impl Iterator<Item = String>) -> String {
    let long = secrets.filter(|secret| secret.len() >= 8);
    long.fold(text, |text, secret| text.replace(&secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, patience: u64) -> Result<String> {
        let program: Vec<OsString> = ["sh", "-c"].map(OsString::from).into();
        let call = WranglerCall {
            program: &program,
            dir: Path::new("."),
            args: vec![script.to_owned()],
            output_file: None,
            patience: Duration::from_millis(patience),
        };
        call.run()
    }

    #[test]
    fn run_returns_stdout_and_explains_failures() {
        assert_eq!(sh("echo out; echo err >&2; cat", 60_000).unwrap(), "out\n");
        let failed = sh("printf '\\033[31mno\\033[0m\\n\\n  such worker\\n' >&2; exit 3", 60_000);
        let failed = failed.unwrap_err().to_string();
        assert!(failed.ends_with("ended with code 3: no | such worker"), "{failed}");
        let failed = sh("echo only out; exit 1", 60_000).unwrap_err().to_string();
        assert!(failed.ends_with("only out"), "{failed}");
        assert!(sh("exec sleep 60", 50).unwrap_err().to_string().contains("took more than"));
        assert!(sh("yes | head -c 20000000", 60_000).unwrap().len() as u64 <= LARGEST_OUTPUT);
    }

    #[test]
    fn missing_wrangler_error_suggests_npm_ci() {
        let program = [OsString::from("/nowhere/wrangler")];
        let call = WranglerCall {
            program: &program,
            dir: Path::new("."),
            args: vec![],
            output_file: None,
            patience: Duration::from_secs(1),
        };
        assert!(call.run().unwrap_err().to_string().contains("npm ci"));
    }

    #[test]
    fn conceal_replaces_secrets() {
        let secrets = ["s3cret-token".to_owned(), "a".to_owned()];
        let shown = conceal("bad s3cret-token here".to_owned(), secrets.into_iter());
        assert_eq!(shown, "bad *** here");
    }
}
