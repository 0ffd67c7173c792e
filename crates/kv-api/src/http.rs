//! HTTP calls with pacing and retries.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER};
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::{Agent, Body};

use crate::error::{ApiError, Cause};
use crate::pacer::Pacer;
use crate::retry::{self, RetryPolicy};
use crate::token::Token;

/// Called after every failed attempt, with the wait before the next one.
pub type RetryNotice = Box<dyn Fn(&ApiError, Duration)>;

/// The settings for calls.
#[derive(Debug)]
pub(crate) struct HttpSettings {
    /// The address to which the path of every call is appended.
    pub root: String,
    pub token: Option<Token>,
    pub retry: RetryPolicy,
    /// The longest time without a byte of an answer.
    pub timeout: Duration,
    /// True if the number of calls is kept within Cloudflare's limit.
    pub paced: bool,
    /// True if the proxy that the environment names is used.
    pub proxied: bool,
}

/// A call to make.
#[derive(Debug)]
pub(crate) struct ApiCall<'a> {
    method: Method,
    /// Its path and query, relative to the root.
    path: String,
    body: Option<(&'static str, &'a [u8])>,
}

impl<'a> ApiCall<'a> {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    pub(crate) fn with_json(method: Method, path: String, body: &'a [u8]) -> Self {
        Self { method, path, body: Some(("application/json", body)) }
    }

    pub(crate) fn with_bytes(method: Method, path: String, body: &'a [u8]) -> Self {
        Self { method, path, body: Some(("application/octet-stream", body)) }
    }
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

impl HttpAnswer {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self.status, 200..300)
    }
}

/// The time-out for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The size in bytes of the largest answer that is read: a bulk get of 25 MiB with every byte
/// escaped.
const LARGEST_ANSWER: u64 = 200 << 20;

pub(crate) struct Http {
    agent: Agent,
    settings: HttpSettings,
    pacer: RefCell<Pacer>,
    calls: Cell<usize>,
    /// The `Date` of the last answer that had one, and when it came.
    date: Cell<Option<(SystemTime, Instant)>>,
    notice: RetryNotice,
}

impl Http {
    pub(crate) fn new(settings: HttpSettings, notice: RetryNotice) -> Self {
        let patience = Some(settings.timeout);
        let connect = Some(settings.timeout.min(CONNECT));
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token to another host, so it counts as an error.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(connect)
            .timeout_connect(connect)
            // A limit on progress, not on the whole call: 100 MB may take long on a slow
            // connection.
            .timeout_per_read(patience)
            .timeout_per_write(patience)
            .timeout_recv_response(patience)
            .user_agent(concat!("slotctl/", env!("CARGO_PKG_VERSION")));
        if !settings.proxied {
            config = config.proxy(None);
        }
        let (agent, pacer) = (config.build().new_agent(), RefCell::new(Pacer::cloudflare()));
        Self { agent, settings, pacer, calls: Cell::new(0), date: Cell::new(None), notice }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.get()
    }

    /// Returns the present time by the clock of the API.
    pub(crate) fn time(&self) -> Option<SystemTime> {
        let (date, came) = self.date.get()?;
        date.checked_add(came.elapsed())
    }

    /// Returns the waits between retries of keys that a successful call did not carry out.
    pub(crate) fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        self.settings.retry.delays()
    }

    /// Makes the call until it succeeds, fails permanently, or no attempts are left. `read`
    /// interprets an answer.
    pub(crate) fn call<T>(
        &self,
        call: &ApiCall<'_>,
        read: impl Fn(HttpAnswer) -> Result<T, Cause>,
    ) -> Result<T, ApiError> {
        let mut delays = self.settings.retry.delays();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let cause = match self.attempt(call).and_then(&read) {
                Ok(result) => return Ok(result),
                Err(cause) => cause,
            };
            let wait = match cause.is_transient() {
                true => retry::wait(delays.next(), cause.retry_after()),
                false => None,
            };
            let error = self.error(call, cause, attempts);
            let Some(wait) = wait else { return Err(error) };
            self.pause(&error, wait);
        }
    }

    /// Reports a failed attempt and waits before the next one.
    pub(crate) fn pause(&self, error: &ApiError, wait: Duration) {
        (self.notice)(error, wait);
        sleep(wait);
    }

    pub(crate) fn error(&self, call: &ApiCall<'_>, cause: Cause, attempts: usize) -> ApiError {
        let path = call.path.split('?').next().unwrap_or_default();
        let endpoint = format!("{} {}{path}", call.method, self.settings.root);
        ApiError { endpoint, cause, attempts }
    }

    fn attempt(&self, call: &ApiCall<'_>) -> Result<HttpAnswer, Cause> {
        if self.settings.paced {
            sleep(self.pacer.borrow_mut().admit(Instant::now()));
        }
        self.calls.set(self.calls.get() + 1);
        let mut response = self.send(call).map_err(cause)?;
        if let Some(date) = date(response.headers()) {
            self.date.set(Some((date, Instant::now())));
        }
        let body = response.body_mut().with_config().limit(LARGEST_ANSWER);
        let body = body.read_to_vec().map_err(cause)?;
        let retry_after = retry_after(response.headers());
        Ok(HttpAnswer { status: response.status().as_u16(), retry_after, body })
    }

    fn send(&self, call: &ApiCall<'_>) -> Result<Response<Body>, ureq::Error> {
        let uri = format!("{}{}", self.settings.root, call.path);
        let mut request = Request::builder().method(call.method.clone()).uri(uri);
        if let Some(token) = &self.settings.token {
            request = request.header(AUTHORIZATION, token.header());
        }
        match call.body {
            None => self.agent.run(request.body(())?),
            Some((kind, bytes)) => self.agent.run(request.header(CONTENT_TYPE, kind).body(bytes)?),
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    retry::retry_after(value, SystemTime::now())
}

/// Returns the cause of a call without an answer: the call cannot be made, or may succeed
/// later.
fn cause(error: ureq::Error) -> Cause {
    use ureq::Error::{BadUri, Http, InvalidProxyUrl, Pem, RequireHttpsOnly, Rustls, Tls};
    match error {
        BadUri(_) | Http(_) | InvalidProxyUrl | Pem(_) | RequireHttpsOnly(_) | Rustls(_)
        | Tls(_) => Cause::Invalid(error.to_string()),
        other => Cause::Unreachable(other.to_string()),
    }
}
