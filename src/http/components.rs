//! `/components/<address>`: a component.

use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Basis;
use catalog::timestamp::Timestamp;

use crate::http::{HandlerContext, Response, caller, conditional, respond};
use crate::resolve::backend::Backend;
use crate::resolve::large::with_body;
use crate::resolve::reader::{ReadAhead, Reader};
use crate::resolve::{Resolved, begin, keep_unless_unsure, question, resolve};
use crate::trace::Trace;

/// Answers `GET` or `HEAD` of `/components/<raw>`. `ahead` is the slot record, if it was read
/// before. The fast lane learns from the basis of the response.
pub(crate) async fn get<B: Backend>(
    context: HandlerContext<'_, B>,
    raw: &str,
    mut ahead: Option<ReadAhead>,
    trace: &mut Trace,
) -> Result<(Response<B::Body>, Option<Basis>), Refusal> {
    let HandlerContext { config, reader, request, grant } = context;
    // 1. The component and the reference: 400.
    let address = Address::from_url_path(raw).map_err(Refusal::Invalid)?;
    let question = question(config, address, request.host, caller::of(request).into())?;
    trace.address = Some(question.address());
    // 2. The version: 404, 410, 502, 503.
    let mut resolution = begin(question, &grant)?;
    let resolved = resolve(reader, &mut resolution, &grant, &mut ahead, trace).await?;
    select(reader, &resolved, trace);
    if request.parameter("explain").is_some() {
        return Ok((respond::explanation(&resolved.basis), None));
    }
    // 3. The caller demands another content: 412. It has this one: 304. No content is read.
    conditional::check_match(request, &resolved.basis.selected.snapshot.digest)?;
    if conditional::has_current(request, &resolved.basis.selected.snapshot.digest) {
        keep_unless_unsure(reader, &resolved);
        let response = respond::not_modified(&resolved.basis.selected, trace);
        return Ok((response, Some(resolved.basis)));
    }
    // 4. A response without a body.
    if request.method == "HEAD" {
        keep_unless_unsure(reader, &resolved);
        let response = respond::component_head(&resolved.basis.selected, trace, now(reader));
        return Ok((response, Some(resolved.basis)));
    }
    // 5. The content with its digest checked, the stream of a large one, or the last good one: 502,
    //    503.
    let question = resolution.question();
    // Boxed, because it is the largest part of the future, and the wait for a record is longer.
    let read = Box::pin(with_body(reader, question, resolved, trace));
    let (resolved, body) = read.await?;
    select(reader, &resolved, trace);
    // 6. 200.
    let response = respond::component(&resolved.basis.selected, trace, now(reader), body);
    Ok((response, Some(resolved.basis)))
}

/// Notes the version that answers. `Content-Location` hands out its exact address.
fn select<B: Backend>(reader: &Reader<B>, resolved: &Resolved, trace: &mut Trace) {
    trace.select(&resolved.basis.selected, resolved.stale);
    reader.keep_handed_out(&resolved.basis);
}

fn now<B: Backend>(reader: &Reader<B>) -> Timestamp {
    Timestamp::from_unix((reader.backend.now() / 1000.0) as i64)
}
