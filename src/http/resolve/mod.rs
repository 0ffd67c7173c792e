//! `POST /resolve`: one consistent snapshot for a whole run of an ensemble.

mod answer;
mod text;

use std::rc::Rc;

use catalog::assign::{self, Caller};
use catalog::json;
use catalog::name::ComponentName;
use catalog::record::Snapshot;
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Question;
use serde::Deserialize;

use self::answer::ResolveResult;
use self::text::Text;
use crate::config::Config;
use crate::http::{HandlerContext, MAX_BODY, Payload, Request, Response, caller, limit, respond};
use crate::resolve::backend::Backend;
use crate::resolve::bulk::resolve_all;
use crate::resolve::nearest;
use crate::resolve::reader::Reader;
use crate::resolve::room::Room;
use crate::resolve::{Settled, keep_unless_unsure, question, with_content};
use crate::trace::Trace;

/// The maximum number of references in one request: as many keys as Workers KV reads at once.
const MAX_REFS: usize = 100;

/// The maximum size of the contents in one response, in bytes before they are written as JSON
/// (8 MiB).
const MAX_CONTENT: u64 = 8 << 20;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResolveRequest {
    refs: Vec<String>,
    /// True if the contents are asked for. `null` is the same as absence, for every member.
    #[serde(default)]
    content: Option<bool>,
    /// The version key of the caller, like `Component-Version-Key`.
    #[serde(default)]
    key: Option<Text>,
    /// The groups of the caller, like `Component-Segment`.
    #[serde(default)]
    segments: Option<Vec<Text>>,
}

/// Answers `POST /resolve`.
pub(crate) async fn post<B: Backend>(
    context: HandlerContext<'_, B>,
    trace: &mut Trace,
) -> Result<Response<B::Body>, Refusal> {
    let HandlerContext { config, reader, request, grant } = context;
    // 1. The request: 400, 413, 415, and 429 if its references exceed the rate limit.
    let body = read_body(request).await?;
    // The request itself has been counted before.
    limit::admit(config, reader, request, body.refs.len() - 1).await?;
    // 2. The version of every reference, with one bulk read per namespace and round.
    let caller = Rc::new(caller_of(&body, request));
    caller.check().map_err(Refusal::CallerInvalid)?;
    let ask = |text: &String| ask(config, text, request.host, &caller);
    let questions = body.refs.iter().map(ask).collect();
    let settled = resolve_all(reader, questions, &grant, trace).await;
    // 3. The contents, if they are asked for.
    let mut results = Vec::new();
    let mut budget = Budget { left: MAX_CONTENT, room: Room::new(reader) };
    for settled in settled {
        let wanted = body.content.unwrap_or_default().then_some(&mut budget);
        results.push(complete(reader, settled, wanted, trace).await);
    }
    let refusals = results.iter_mut().filter_map(|result| result.as_mut().err());
    nearest::suggest(reader, &grant, refusals, trace).await;
    // 4. An exact reference or an error for each: 200.
    let body = answer::write(&body.refs, results, &config.script_version);
    Ok(respond::json_body(200, body))
}

/// Returns the caller that the body describes, else the one that the headers describe.
fn caller_of(body: &ResolveRequest, request: &Request<'_>) -> Caller {
    let mut caller = caller::of(request);
    let declared = body.segments.iter().flatten().map(|Text(group)| group.as_str());
    let segments = assign::segments(declared);
    if !segments.is_empty() {
        caller.segments = segments;
    }
    let key = body.key.as_ref().and_then(|Text(key)| assign::version_key(key));
    caller.key = key.or(caller.key);
    caller
}

fn ask(config: &Config, text: &str, host: &str, caller: &Rc<Caller>) -> Result<Question, Refusal> {
    let address = text.parse::<Address>().map_err(Refusal::Invalid)?;
    question(config, address, host, caller.clone())
}

/// The contents that one answer may still have.
struct Budget<'a, B: Backend> {
    /// The bytes of the answer that are left.
    left: u64,
    room: Room<'a, B>,
}

impl<B: Backend> Budget<'_, B> {
    /// Takes a content out of the budget.
    ///
    /// # Errors
    ///
    /// 413 if the contents of this answer are too large together, 503 if those of all answers are.
    fn take(&mut self, name: &ComponentName, snapshot: &Snapshot) -> Result<(), Refusal> {
        let left = self.left.checked_sub(snapshot.size);
        self.left = left.ok_or_else(|| Refusal::ContentTooLarge {
            name: name.clone(),
            version: snapshot.version.clone(),
            limit: MAX_CONTENT,
        })?;
        self.room.take(snapshot)
    }
}

/// Reads the content if there is a budget for it.
async fn complete<B: Backend>(
    reader: &Reader<B>,
    settled: Settled,
    budget: Option<&mut Budget<'_, B>>,
    trace: &mut Trace,
) -> ResolveResult<B::Body> {
    let (question, resolved) = settled?;
    let Some(budget) = budget else {
        keep_unless_unsure(reader, &resolved);
        reader.keep_handed_out(&resolved.basis);
        return Ok((resolved, None));
    };
    let snapshot = &resolved.basis.selected.snapshot;
    budget.take(&question.name, snapshot)?;
    let (resolved, content) = with_content(reader, &question, resolved, trace).await?;
    reader.keep_handed_out(&resolved.basis);
    Ok((resolved, Some(content.into())))
}

/// Reads the body after everything else that can be wrong with the request.
async fn read_body(request: &Request<'_>) -> Result<ResolveRequest, Refusal> {
    let media_type = (request.header)("Content-Type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or("").trim();
    let encoded = (request.header)("Content-Encoding").is_some_and(|coding| coding != "identity");
    if !essence.eq_ignore_ascii_case("application/json") || encoded {
        return Err(Refusal::MediaTypeUnsupported);
    }
    let length = (request.header)("Content-Length").and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BODY as u64) {
        return Err(Refusal::BodyTooLarge);
    }
    match request.body.read().await {
        Payload::Bytes(bytes) => parse_body(&bytes),
        Payload::TooLarge => Err(Refusal::BodyTooLarge),
        Payload::Incomplete => Err(Refusal::BodyInvalid("it did not arrive completely".to_owned())),
    }
}

fn parse_body(bytes: &[u8]) -> Result<ResolveRequest, Refusal> {
    let invalid = |why: String| Refusal::BodyInvalid(why);
    // A parser may ignore a byte order mark (RFC 8259, section 8.1).
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("expected a JSON object".to_owned()));
    }
    let body: ResolveRequest = json::object(bytes).map_err(invalid)?;
    match body.refs.len() {
        0 => Err(invalid("refs is empty".to_owned())),
        1..=MAX_REFS => Ok(body),
        count => Err(invalid(format!("there are {count} refs"))),
    }
}
