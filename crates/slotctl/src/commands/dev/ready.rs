//! The time until a local Worker answers.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use endpoint::Endpoint;
use notice::Refused;

use crate::resolver::{Ask, Credentials, Resolver};
use crate::wrangler::DevServer;

/// The longest time to wait for the first answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The interval at which the Worker is asked.
const LOOK: Duration = Duration::from_millis(100);

/// Fails if another process has the port: wrangler would use another port.
///
/// # Errors
///
/// [`Refused`] if the port cannot be used.
pub(super) fn refuse_busy_port(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let what = format!("it cannot be used ({error})");
            let help = "stop the process that uses it, or choose another with --port";
            Err(Refused::new(format!("port {port}"), what, help).into())
        }
    }
}

/// Waits until the Worker answers any request.
///
/// # Errors
///
/// If wrangler ends, or the Worker does not answer for a minute.
pub(super) fn wait(server: &mut DevServer, url: &str) -> Result<()> {
    let endpoint: Endpoint = url.parse()?;
    let resolver = Resolver::new(&endpoint)?;
    let version = Ask { token: Credentials::Absent, ..Ask::get("/version") };
    let began = Instant::now();
    while resolver.send(&version, 1 << 20).is_err() {
        if let Some(printed) = server.ended() {
            bail!("wrangler dev did not start: {printed}");
        }
        if began.elapsed() > PATIENCE {
            bail!("wrangler dev did not answer at {url} for {PATIENCE:?}");
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = refuse_busy_port(port).unwrap_err();
        let Refused(notice) = error.downcast_ref::<Refused>().unwrap();
        assert_eq!(notice.subject, format!("port {port}"));
        assert!(refuse_busy_port(0).is_ok(), "any free port");
    }
}
