//! `/catalog`: the components, their versions and slots. Reads catalog records and the
//! index, never `SLOTS`.

mod details;

use catalog::access::Grant;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::nearest::{BUDGET, nearest};
use catalog::record::{CatalogRecord, IndexRecord, RecordError};
use catalog::refusal::Refusal;
use catalog::version::Version;
use serde::Serialize;

use self::details::{ComponentDetails, VersionPage};
use crate::http::{HandlerContext, Request, Response, respond};
use crate::resolve::backend::Backend;
use crate::resolve::stored;
use crate::trace::Trace;

/// The default number of components on a page.
const PAGE: usize = 100;

/// The maximum number of components or versions on a page, and the default number of versions: a
/// component with fewer is one page.
const MAX_PAGE: usize = 1_000;

/// Answers `GET` or `HEAD` of `/catalog` and `/catalog/<type>`: the components in the order
/// of their names, one page at a time.
pub(crate) async fn index<B: Backend>(
    context: HandlerContext<'_, B>,
    kind: Option<&str>,
    trace: &mut Trace,
) -> Result<Response<B::Body>, Refusal> {
    let HandlerContext { reader, request, grant, .. } = context;
    let kind = kind.map(type_name).transpose()?;
    let limit = page_size(request, PAGE)?;
    let index = stored::read::<IndexRecord, B>(reader, &Key::Index, trace).await?;
    // Without the record it is unknown which components exist.
    let index = index.ok_or(Refusal::RecordMissing(Key::Index))?;
    let names = visible(&index, &grant)?;
    if let Some(kind) = &kind {
        refuse_unknown_type(kind, &names)?;
    }
    let after = request.parameter("cursor").unwrap_or_default();
    let wanted = |name: &&ComponentName| {
        kind.as_deref().is_none_or(|kind| name.type_name() == kind)
            && name.as_str() > after.as_str()
    };
    let mut rest = names.into_iter().filter(wanted);
    let page: Vec<&ComponentName> = rest.by_ref().take(limit).collect();
    let cursor = rest.next().and(page.last());
    let components = page.iter().copied().map(ComponentSummary::of).collect();
    let body = CatalogPage { components, cursor: cursor.map(|name| name.as_str()) };
    respond::document(request, &body, trace)
}

/// Returns the components that the caller may see.
///
/// # Errors
///
/// 502 if that depends on slots which the index of an earlier release does not list.
fn visible<'a>(index: &'a IndexRecord, grant: &Grant) -> Result<Vec<&'a ComponentName>, Refusal> {
    let mut names = Vec::new();
    for (name, slots) in index.entries().filter(|(name, _)| grant.covers(name)) {
        if slots.is_none() && !grant.sees_versions(name) {
            let why = RecordError::Malformed("it does not list the slots".to_owned());
            return Err(Refusal::RecordUnreadable(Key::Index, why));
        }
        if grant.sees(name, slots.unwrap_or_default()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Refuses a type if the caller may see no component of it.
fn refuse_unknown_type(kind: &str, names: &[&ComponentName]) -> Result<(), Refusal> {
    let mut seen: Vec<&str> = names.iter().map(|name| name.type_name()).collect();
    seen.dedup();
    if seen.contains(&kind) {
        return Ok(());
    }
    let near = nearest(kind, seen, &mut BUDGET.clone()).map(str::to_owned);
    Err(Refusal::TypeUnknown(kind.to_owned(), near))
}

/// Answers `GET` or `HEAD` of `/catalog/<type>/<name>`: the slots, and a page of the versions.
pub(crate) async fn entry<B: Backend>(
    context: HandlerContext<'_, B>,
    raw: &str,
    trace: &mut Trace,
) -> Result<Response<B::Body>, Refusal> {
    let HandlerContext { reader, request, grant, .. } = context;
    let page = VersionPage { limit: page_size(request, MAX_PAGE)?, cursor: cursor(request)? };
    let name = ComponentName::from_url_path(raw).map_err(Refusal::Invalid)?;
    let unknown = || Refusal::ComponentUnknown(name.clone(), None);
    if !grant.covers(&name) {
        return Err(unknown());
    }
    let key = Key::Catalog(name.clone());
    let record = stored::read::<CatalogRecord, B>(reader, &key, trace).await?;
    let record = record.filter(|record| grant.sees(&name, record.slots.keys()));
    let record = record.ok_or_else(unknown)?;
    respond::document(request, &ComponentDetails::of(&name, &record, &grant, &page), trace)
}

/// Returns the version after which the page begins that the request asks for.
fn cursor(request: &Request<'_>) -> Result<Option<Version>, Refusal> {
    let cursor = request.parameter("cursor").map(|text| text.parse()).transpose();
    cursor.map_err(|_| Refusal::ParameterInvalid { name: "cursor", takes: "a version" })
}

/// Returns the number of entries on the page that the request asks for.
fn page_size(request: &Request<'_>, default: usize) -> Result<usize, Refusal> {
    let Some(text) = request.parameter("limit") else { return Ok(default) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or(Refusal::ParameterInvalid { name: "limit", takes: "a number from 1 to 1000" })
}

/// Parses a component type in a path.
fn type_name(raw: &str) -> Result<String, Refusal> {
    let name = ComponentName::from_url_path(&format!("{raw}/a")).map_err(Refusal::Invalid)?;
    Ok(name.type_name().to_owned())
}

/// A page of `/catalog`.
#[derive(Serialize)]
struct CatalogPage<'a> {
    components: Vec<ComponentSummary<'a>>,
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct ComponentSummary<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    url: String,
}

impl<'a> ComponentSummary<'a> {
    fn of(name: &'a ComponentName) -> Self {
        let url = format!("/catalog/{name}");
        Self { name: name.as_str(), kind: name.type_name(), url }
    }
}
