//! `wrangler dev`, which runs until it is stopped.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::call::{self, SECRETS};

/// Makes wrangler end when its stdin does. So it ends together with this process, however that
/// ends. Node loads it into each of its processes; only wrangler's own is called with `dev`.
const END_WITH_STDIN: &str = "--import=data:text/javascript,\
    if(process.argv[2]==='dev')process.stdin.on('end',()=>process.kill(process.pid,'SIGTERM')).resume()";

/// The longest time that wrangler gets to end by itself.
const TO_END: Duration = Duration::from_secs(5);

/// The number of bytes at the end of the output that are kept.
const KEPT: usize = 16 << 10;

/// A `wrangler dev` that runs.
#[derive(Debug)]
pub(crate) struct DevServer {
    child: Child,
    /// Closing it ends wrangler.
    stdin: Option<ChildStdin>,
    printed: Arc<Mutex<Vec<u8>>>,
}

impl DevServer {
    /// Starts wrangler with these arguments in `dir`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(super) fn start(program: &[OsString], dir: &Path, args: &[String]) -> Result<Self> {
        let mut command = call::command(program, dir)?;
        command.args(args);
        configure(&mut command);
        let mut child = command.spawn().map_err(|error| call::not_started(program, &error))?;
        let printed = Arc::default();
        keep(child.stdout.take(), &printed);
        keep(child.stderr.take(), &printed);
        Ok(Self { stdin: child.stdin.take(), child, printed })
    }

    /// Returns the last lines that wrangler printed, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(_)) | Err(_) => {
                let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
                Some(call::message(&printed))
            }
        }
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let began = Instant::now();
        while began.elapsed() < TO_END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        // It may have ended in the meantime.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A local Worker needs no secret of the account, and asks nobody on the Internet.
fn configure(command: &mut Command) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    SECRETS.iter().for_each(|name| {
        command.env_remove(name);
    });
    let options = std::env::var("NODE_OPTIONS").unwrap_or_default();
    command.env("NODE_OPTIONS", format!("{options} {END_WITH_STDIN}").trim_start());
    command.envs([("CLOUDFLARE_CF_FETCH_ENABLED", "false"), ("WRANGLER_HIDE_BANNER", "true")]);
}

/// Reads a pipe in its own thread, and keeps the end of what it contains.
fn keep(pipe: Option<impl Read + Send + 'static>, printed: &Arc<Mutex<Vec<u8>>>) {
    let (Some(mut pipe), printed) = (pipe, Arc::clone(printed)) else { return };
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut bytes) {
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            printed.extend_from_slice(bytes.get(..count).unwrap_or_default());
            let surplus = printed.len().saturating_sub(KEPT);
            printed.drain(..surplus);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> DevServer {
        let program: Vec<OsString> = ["sh", "-c"].map(OsString::from).into();
        DevServer::start(&program, Path::new("."), &[script.to_owned()]).unwrap()
    }

    #[test]
    fn a_server_that_ended_tells_its_last_lines() {
        let mut server = sh("echo starting; echo no such Worker >&2; exit 1");
        let began = Instant::now();
        while server.ended().is_none_or(|printed| !printed.contains("no such Worker")) {
            assert!(began.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn a_server_ends_when_it_is_dropped() {
        let mut server = sh("cat >/dev/null");
        assert_eq!(server.ended(), None);
        let began = Instant::now();
        drop(server);
        assert!(began.elapsed() < TO_END);
    }
}
