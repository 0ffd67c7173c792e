//! From a path and a method to a handler.

use catalog::key::Namespace;
use catalog::refusal::Refusal;

use crate::backend::Backend;
use crate::http::{Answer, MAX_PATH, Request};
use crate::resolve::Resolver;
use crate::respond;

/// The resources and their methods.
enum Route<'a> {
    /// `/components/<raw>`.
    Component(&'a str),
    /// `/version`.
    Version,
    /// `/healthz`.
    Health,
}

const READ_ONLY: &str = "GET, HEAD, OPTIONS";

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Result<Self, Refusal> {
        if path.len() > MAX_PATH {
            return Err(Refusal::PathTooLong);
        }
        match path {
            "/version" => Ok(Self::Version),
            "/healthz" => Ok(Self::Health),
            _ => match path.strip_prefix("/components/") {
                Some(raw) => Ok(Self::Component(raw)),
                None => Err(Refusal::RouteUnknown),
            },
        }
    }
}

/// Keys that nothing writes: reading one shows that the namespace answers.
const PROBE: &str = "healthz";

impl<B: Backend> Resolver<B> {
    /// Answers a request.
    pub async fn answer(&self, request: &Request<'_>) -> Answer<B::Content> {
        let script = &self.config.script_version;
        let answer = match self.dispatch(request).await {
            Ok(answer) => answer,
            Err(refusal) => respond::problem(&refusal, request.path, script),
        };
        let answer = respond::finish(answer, script);
        if request.method == "HEAD" { answer.without_body() } else { answer }
    }

    async fn dispatch(&self, request: &Request<'_>) -> Result<Answer<B::Content>, Refusal> {
        let route = Route::of(request.path)?;
        match request.method {
            "GET" | "HEAD" => {}
            "OPTIONS" => return Ok(respond::options(READ_ONLY)),
            _ => return Err(Refusal::MethodNotAllowed { allow: READ_ONLY }),
        }
        match route {
            Route::Component(raw) => self.component(request, raw).await,
            Route::Version => Ok(respond::version(&self.config.script_version)),
            Route::Health => Ok(self.health().await),
        }
    }

    async fn health(&self) -> Answer<B::Content> {
        let ttl = self.config.slot_cache_ttl;
        let slots = self.backend.record(Namespace::Slots, PROBE, ttl).await;
        let components = self.backend.record(Namespace::Components, PROBE, ttl).await;
        respond::health(slots.is_ok(), components.is_ok())
    }
}
