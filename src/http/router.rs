//! From a path and a method to a handler.

use std::pin::Pin;

use catalog::key::{Key, Namespace};
use catalog::refusal::Refusal;
use percent_encoding::percent_decode_str;

use crate::http::access;
use crate::http::respond;
use crate::http::{Answer, MAX_PATH, Request};
use crate::resolve::Resolver;
use crate::resolve::backend::{Backend, Read};
use crate::trace::Trace;

/// The resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    /// `/components/<raw>`.
    Component(&'a str),
    /// `/resolve`.
    Resolve,
    /// `/catalog`, or `/catalog/<type>`.
    Index(Option<&'a str>),
    /// `/catalog/<type>/<name>`.
    Entry(&'a str),
    /// `/version`.
    Version,
    /// `/healthz`.
    Health,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Result<Self, Refusal> {
        if path.len() > MAX_PATH {
            return Err(Refusal::PathTooLong);
        }
        match path {
            "/resolve" => return Ok(Self::Resolve),
            "/catalog" => return Ok(Self::Index(None)),
            "/version" => return Ok(Self::Version),
            "/healthz" => return Ok(Self::Health),
            _ => {}
        }
        if let Some(raw) = path.strip_prefix("/components/") {
            return Ok(Self::Component(raw));
        }
        match path.strip_prefix("/catalog/") {
            None | Some("") => Err(Refusal::RouteUnknown),
            Some(raw) if has_slash(raw) => Ok(Self::Entry(raw)),
            Some(kind) => Ok(Self::Index(Some(kind))),
        }
    }

    /// The resource's methods, as `Allow` lists them.
    fn methods(self) -> &'static str {
        match self {
            Self::Resolve => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// Whether there is a `/` in a part of a URL's path, encoded or not.
fn has_slash(raw: &str) -> bool {
    percent_decode_str(raw).any(|byte| byte == b'/')
}

/// A key that nothing writes: reading it shows that the namespace answers.
const PROBE: &str = "healthz";

impl<B: Backend> Resolver<B> {
    /// Answers a request, and says what it came to.
    pub async fn answer(&self, request: &Request<'_>) -> (Answer<B::Content>, Trace) {
        self.answer_with(request, None).await
    }

    /// As [`Resolver::answer`], with what was read before the request was looked at.
    pub async fn answer_with(
        &self,
        request: &Request<'_>,
        read_ahead: Option<(Key, Read<Vec<u8>>)>,
    ) -> (Answer<B::Content>, Trace) {
        let mut trace = Trace { read_ahead, ..Trace::default() };
        let answer = match self.dispatch(request, &mut trace).await {
            Ok(answer) => answer,
            Err(refusal) => {
                trace.code = Some(refusal.code());
                respond::problem(&refusal, request.path, &self.config.script_version)
            }
        };
        let origin = (request.header)("Origin");
        let answer = respond::finish(answer, &self.config, origin.as_deref());
        (if request.method == "HEAD" { answer.without_body() } else { answer }, trace)
    }

    async fn dispatch(
        &self,
        request: &Request<'_>,
        trace: &mut Trace,
    ) -> Result<Answer<B::Content>, Refusal> {
        let route = Route::of(request.path)?;
        let methods = route.methods();
        if request.method == "OPTIONS" {
            let preflight = (request.header)("Access-Control-Request-Method").is_some();
            return Ok(self.config.origins.options(methods, preflight));
        }
        if !methods.split(',').any(|method| method.trim_start() == request.method) {
            return Err(Refusal::MethodNotAllowed { allow: methods });
        }
        let grant = || access::authorize(&self.config, request);
        let rarer: Pin<Box<dyn Future<Output = _>>> = match route {
            Route::Component(raw) => return self.component(request, raw, &grant()?, trace).await,
            Route::Version => return Ok(respond::version(&self.config.script_version)),
            Route::Health => Box::pin(self.health(trace)),
            Route::Resolve => Box::pin(self.batch(request, grant()?, trace)),
            Route::Index(kind) => Box::pin(self.index(request, kind, grant()?, trace)),
            Route::Entry(raw) => Box::pin(self.entry_of(request, raw, grant()?, trace)),
        };
        rarer.await
    }

    async fn health(&self, trace: &mut Trace) -> Result<Answer<B::Content>, Refusal> {
        let ttl = self.config.slot_cache_ttl;
        trace.kv_reads += 2;
        let slots = self.backend.record(Namespace::Slots, PROBE, ttl).await;
        let components = self.backend.record(Namespace::Components, PROBE, ttl).await;
        Ok(respond::health(slots.is_ok(), components.is_ok()))
    }
}
