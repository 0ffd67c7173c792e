//! Routes a request to its handler by path and method.

use std::pin::Pin;

use ::catalog::refusal::Refusal;
use ::catalog::resolution::Basis;
use percent_encoding::percent_decode_str;

use crate::config::Config;
use crate::http::headers::ORIGIN;
use crate::http::{
    HandlerContext, MAX_PATH, Request, Response, access, catalog, components, cors, resolve,
    respond, status,
};
use crate::resolve::backend::Backend;
use crate::resolve::nearest;
use crate::resolve::reader::ReadAhead;
use crate::resolve::reader::Reader;
use crate::trace::Trace;

/// The resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource<'a> {
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

impl<'a> Resource<'a> {
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

    /// Returns the methods of the resource, as `Allow` lists them.
    fn methods(self) -> &'static str {
        match self {
            Self::Resolve => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// Tells if a part of a path contains a `/`, encoded or not.
fn has_slash(raw: &str) -> bool {
    percent_decode_str(raw).any(|byte| byte == b'/')
}

/// A response with the facts that the log and the fast lane need.
pub struct Handled<C> {
    /// The response.
    pub response: Response<C>,
    /// The facts for the log.
    pub trace: Trace,
    /// The basis of the response, if it serves a component.
    pub basis: Option<Basis>,
}

/// A handler whose code is compiled separately.
type Boxed<'a, C> = Pin<Box<dyn Future<Output = Result<Response<C>, Refusal>> + 'a>>;

/// The response of a handler and its basis.
type HandlerResult<C> = Result<(Response<C>, Option<Basis>), Refusal>;

/// Answers a request. `ahead` is the slot record, if it was read before.
pub async fn answer<B: Backend>(
    config: &Config,
    reader: &Reader<B>,
    request: &Request<'_>,
    ahead: Option<ReadAhead>,
) -> Handled<B::Body> {
    let mut trace = Trace::default();
    let (response, basis) = match dispatch(config, reader, request, ahead, &mut trace).await {
        Ok(answered) => answered,
        Err(mut refusal) => {
            suggest(config, reader, request, &mut refusal, &mut trace).await;
            trace.code = Some(refusal.code());
            (respond::problem(&refusal, request.path, &config.script_version), None)
        }
    };
    let origin = (request.header)(ORIGIN);
    let response = respond::finish(response, config, origin.as_deref());
    let response = if request.method == "HEAD" { response.without_body() } else { response };
    Handled { response, trace, basis }
}

/// Adds the nearest component that the caller may see to the refusal of an unknown one.
async fn suggest<B: Backend>(
    config: &Config,
    reader: &Reader<B>,
    request: &Request<'_>,
    refusal: &mut Refusal,
    trace: &mut Trace,
) {
    if !matches!(refusal, Refusal::ComponentUnknown(..)) {
        return;
    }
    let Ok(grant) = access::authorize(config, request) else { return };
    let refusals = std::iter::once(refusal);
    let searching: Pin<Box<dyn Future<Output = ()> + '_>> =
        Box::pin(nearest::suggest(reader, &grant, refusals, trace));
    searching.await;
}

async fn dispatch<B: Backend>(
    config: &Config,
    reader: &Reader<B>,
    request: &Request<'_>,
    ahead: Option<ReadAhead>,
    trace: &mut Trace,
) -> HandlerResult<B::Body> {
    let resource = Resource::of(request.path)?;
    if let Err(refusal) = &config.origins
        && (request.header)(ORIGIN).is_some()
    {
        return Err(refusal.clone());
    }
    let methods = resource.methods();
    if request.method == "OPTIONS" {
        let preflight = (request.header)("Access-Control-Request-Method").is_some();
        return Ok((cors::options(&config.origins, methods, preflight), None));
    }
    if !methods.split(',').any(|method| method.trim_start() == request.method) {
        return Err(Refusal::MethodNotAllowed { allow: methods });
    }
    let context = || -> Result<HandlerContext<'_, B>, Refusal> {
        let grant = access::authorize(config, request)?;
        config.numbers.clone()?;
        Ok(HandlerContext { config, reader, request, grant })
    };
    // Boxed: otherwise the code of a future that usual requests never await is compiled with
    // it.
    let rarer: Boxed<'_, B::Body> = match resource {
        Resource::Component(raw) => return components::get(context()?, raw, ahead, trace).await,
        Resource::Version => return Ok((status::version(&config.script_version), None)),
        Resource::Health => Box::pin(status::health(reader, trace)),
        Resource::Resolve => Box::pin(resolve::post(context()?, trace)),
        Resource::Index(kind) => Box::pin(catalog::index(context()?, kind, trace)),
        Resource::Entry(raw) => Box::pin(catalog::entry(context()?, raw, trace)),
    };
    Ok((rarer.await?, None))
}
