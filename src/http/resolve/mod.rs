//! `POST /resolve`: one consistent snapshot for a whole run of an ensemble.

mod answer;

use std::rc::Rc;

use base64ct::{Base64, Encoding};
use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::json;
use catalog::key::{Key, Namespace};
use catalog::reference::Address;
use catalog::refusal::Refusal;
use catalog::resolution::Resolution;
use serde::Deserialize;
use vecmap::VecMap;

use self::answer::{Entry, Snapshot, Text};
use crate::http::caller;
use crate::http::respond;
use crate::http::{Answer, Payload, Request};
use crate::resolve::backend::{Backend, Read, Unavailable};
use crate::resolve::{Asked, Next, Resolved, Resolver};
use crate::trace::Trace;

/// References in one request: as many keys as Workers KV reads at once.
const MAX_REFS: usize = 100;

/// Bytes of content in one answer, before they are written as JSON.
const MAX_CONTENT: u64 = 8 << 20;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    refs: Vec<String>,
    #[serde(default)]
    content: bool,
    /// Identifies the caller, as `Component-Version-Key` does elsewhere.
    #[serde(default)]
    key: Option<String>,
    /// The caller's groups, as `Component-Segment` names them elsewhere.
    #[serde(default)]
    segments: Vec<String>,
}

impl Body {
    /// Who asks: as the body says it, else as the headers do.
    fn caller(&self, request: &Request<'_>) -> Caller {
        let mut caller = caller::of(request);
        if !self.segments.is_empty() {
            caller.segments.clone_from(&self.segments);
        }
        caller.key = self.key.clone().filter(|key| !key.is_empty()).or(caller.key);
        caller
    }
}

/// One reference on its way.
enum Progress {
    Open(Asked, Resolution, Key),
    Done(Result<(Asked, Resolved), Refusal>),
}

impl Progress {
    fn begin(asked: Result<Asked, Refusal>, grant: &Grant) -> Self {
        let begun = asked.and_then(|asked| {
            let resolution = asked.admit(grant)?;
            let first = resolution.key().clone();
            Ok(Self::Open(asked, resolution, first))
        });
        begun.unwrap_or_else(|refusal| Self::Done(Err(refusal)))
    }
}

/// What the keys of one round hold.
type Records = VecMap<Key, Read<Rc<[u8]>>>;

impl<B: Backend> Resolver<B> {
    /// Answers `POST /resolve`.
    pub(crate) async fn batch(
        &self,
        request: &Request<'_>,
        grant: Grant,
        trace: &mut Trace,
    ) -> Result<Answer<B::Content>, Refusal> {
        // 1. What is asked for: 400, 413, 415.
        let body = body(request)?;
        // 2. Every reference down to one version, a bulk read a namespace and round.
        let caller = body.caller(request);
        let open = |text: &String| self.open(text, request.host, &caller);
        let open = body.refs.iter().map(open).collect();
        let settled = self.settle_all(open, &grant, trace).await;
        // 3. Each with its exact reference or its own error, and the contents if asked for.
        let mut answers = Vec::new();
        let mut left = if body.content { MAX_CONTENT } else { 0 };
        for settled in settled {
            let budget = body.content.then_some(&mut left);
            answers.push(self.finish(settled, budget, trace).await);
        }
        let script = &self.config.script_version;
        let entries = body.refs.iter().zip(&answers);
        let resolved = entries.map(|(text, answer)| Entry::of(text, answer, &script.id)).collect();
        Ok(respond::json(200, &Snapshot { script_version: script, resolved }))
    }

    fn open(&self, text: &str, host: &str, caller: &Caller) -> Result<Asked, Refusal> {
        let address = text.parse::<Address>().map_err(Refusal::Invalid)?;
        self.complete(address, host, caller.clone())
    }

    /// Resolves what is asked for, a bulk read a namespace and round; the answers
    /// stand in the order of the questions.
    pub(crate) async fn settle_all(
        &self,
        all: Vec<Result<Asked, Refusal>>,
        grant: &Grant,
        trace: &mut Trace,
    ) -> Vec<Result<(Asked, Resolved), Refusal>> {
        let begin = |asked: Result<Asked, Refusal>| Progress::begin(asked, grant);
        let mut open: Vec<Progress> = all.into_iter().map(begin).collect();
        while open.iter().any(|progress| matches!(progress, Progress::Open(..))) {
            let records = self.read_all(&open, trace).await;
            open = open.into_iter().map(|one| self.advance(one, &records, grant)).collect();
        }
        let settled = |progress| match progress {
            Progress::Done(settled) => Some(settled),
            Progress::Open(..) => None,
        };
        open.into_iter().filter_map(settled).collect()
    }

    /// Reads the keys that the open references wait for: what is not in memory in
    /// one bulk read a namespace.
    async fn read_all(&self, open: &[Progress], trace: &mut Trace) -> Records {
        let mut records = Records::new();
        let mut missing = [(Namespace::Slots, Vec::new()), (Namespace::Components, Vec::new())];
        for progress in open {
            let Progress::Open(_, resolution, _) = progress else { continue };
            let key = resolution.key();
            if let Some(bytes) = self.fresh(key) {
                records.insert(key.clone(), Ok(Some(bytes)));
                continue;
            }
            let all = missing.iter_mut().find(|(namespace, _)| *namespace == key.namespace());
            if let Some((_, keys)) = all.filter(|(_, keys)| !keys.contains(key)) {
                keys.push(key.clone());
            }
        }
        for (namespace, keys) in missing.into_iter().filter(|(_, keys)| !keys.is_empty()) {
            trace.kv_reads += 1;
            self.read_bulk(namespace, keys, &mut records).await;
        }
        records
    }

    async fn read_bulk(&self, namespace: Namespace, keys: Vec<Key>, records: &mut Records) {
        let texts: Vec<String> = keys.iter().map(Key::to_string).collect();
        // The shortest time for all, so that nothing absent has to be asked for again.
        let ttl = self.config.slot_cache_ttl;
        match self.backend.records(namespace, &texts, ttl).await {
            Ok(values) => {
                let values = values.into_iter().map(|value| Ok(value.map(Rc::from)));
                records.extend(keys.into_iter().zip(values));
            }
            Err(error) => {
                records.extend(keys.into_iter().map(|key| (key, Err(error.clone()))));
            }
        }
    }

    fn advance(&self, progress: Progress, records: &Records, grant: &Grant) -> Progress {
        let Progress::Open(asked, resolution, first) = progress else { return progress };
        let key = resolution.key().clone();
        let unread = || Err(Unavailable("the key was not read".to_owned()));
        let read = records.get(&key).cloned().unwrap_or_else(unread);
        match self.step(resolution, key, &read) {
            Next::Read(resolution) => Progress::Open(asked, resolution, first),
            Next::Done(done) => {
                let settled = self.settle(*done, &first, &asked, grant);
                Progress::Done(settled.map(|resolved| (asked, resolved)))
            }
        }
    }

    /// Reads the content, if there is a budget for it.
    async fn finish(
        &self,
        settled: Result<(Asked, Resolved), Refusal>,
        budget: Option<&mut u64>,
        trace: &mut Trace,
    ) -> Result<(Resolved, Option<Text>), Refusal> {
        let (asked, resolved) = settled?;
        let Some(left) = budget else {
            self.keep_unless_unsure(&resolved);
            return Ok((resolved, None));
        };
        let selected = &resolved.selected;
        *left = left.checked_sub(selected.snapshot.size).ok_or_else(|| {
            Refusal::ContentTooLarge(selected.name.clone(), selected.snapshot.version.clone())
        })?;
        let (resolved, content) = self.with_content(&asked, resolved, trace).await?;
        let text = match String::from_utf8(self.backend.bytes(&content)) {
            Ok(text) => Text::Utf8(text),
            Err(binary) => Text::Base64(Base64::encode_string(binary.as_bytes())),
        };
        Ok((resolved, Some(text)))
    }
}

fn body(request: &Request<'_>) -> Result<Body, Refusal> {
    let media_type = (request.header)("Content-Type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or("").trim();
    let encoded = (request.header)("Content-Encoding").is_some_and(|coding| coding != "identity");
    if !essence.eq_ignore_ascii_case("application/json") || encoded {
        return Err(Refusal::MediaTypeUnsupported);
    }
    let Payload::Bytes(bytes) = &request.payload else { return Err(Refusal::BodyTooLarge) };
    let invalid = |why: String| Refusal::BodyInvalid(why);
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(invalid("it is no object".to_owned()));
    }
    let body: Body = json::read(bytes).map_err(|error| invalid(error.to_string()))?;
    match body.refs.len() {
        0 => Err(invalid("refs is empty".to_owned())),
        1..=MAX_REFS => Ok(body),
        count => Err(invalid(format!("there are {count} refs"))),
    }
}
