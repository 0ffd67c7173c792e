//! `/catalog`: what there is. Reads catalog records and the index, never `SLOTS`.

use catalog::access::Grant;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{
    self, Arm, CatalogRecord, Hold, IndexRecord, Move, Record, SlotEntry, SlotRecord, Target,
    VersionRecord,
};
use catalog::refusal::Refusal;
use catalog::slot::Slot;
use serde::Serialize;
use vecmap::VecMap;

use crate::http::respond;
use crate::http::{Answer, Request};
use crate::resolve::Resolver;
use crate::resolve::backend::Backend;
use crate::trace::Trace;

/// Components on a page, if the request does not say.
const PAGE: usize = 100;

/// Components on a page, at most.
const MAX_PAGE: usize = 1_000;

impl<B: Backend> Resolver<B> {
    /// Answers `GET` or `HEAD` of `/catalog` and `/catalog/<type>`: the components
    /// in the order of their names, a page at a time.
    pub(crate) async fn index(
        &self,
        request: &Request<'_>,
        kind: Option<&str>,
        grant: Grant,
        trace: &mut Trace,
    ) -> Result<Answer<B::Content>, Refusal> {
        let kind = kind.map(type_name).transpose()?;
        let limit = page_size(request)?;
        let index = self.stored::<IndexRecord>(&Key::Index, trace).await?;
        let names = index.map(|index| index.components).unwrap_or_default();
        let after = request.parameter("cursor").unwrap_or_default();
        let seen = |name: &&ComponentName| {
            kind.as_deref().is_none_or(|kind| name.type_name() == kind)
                && name.as_str() > after.as_str()
                && grant.sees(name)
        };
        let mut rest = names.iter().filter(seen);
        let page: Vec<&ComponentName> = rest.by_ref().take(limit).collect();
        let cursor = rest.next().and(page.last());
        let components = page.iter().copied().map(Summary::of).collect();
        let body = Index { components, cursor: cursor.map(|name| name.as_str()) };
        Ok(respond::document(request, &body, trace))
    }

    /// Answers `GET` or `HEAD` of `/catalog/<type>/<name>`.
    pub(crate) async fn entry_of(
        &self,
        request: &Request<'_>,
        raw: &str,
        grant: Grant,
        trace: &mut Trace,
    ) -> Result<Answer<B::Content>, Refusal> {
        let name = ComponentName::from_url_path(raw).map_err(Refusal::Invalid)?;
        let unknown = || Refusal::ComponentUnknown(name.clone());
        if !grant.sees(&name) {
            return Err(unknown());
        }
        let key = Key::Catalog(name.clone());
        let record = self.stored::<CatalogRecord>(&key, trace).await?.ok_or_else(unknown)?;
        Ok(respond::document(request, &Entry::of(&name, &record, &grant), trace))
    }

    /// Reads a record, the last good one where KV fails.
    pub(crate) async fn stored<T: Record>(
        &self,
        key: &Key,
        trace: &mut Trace,
    ) -> Result<Option<T>, Refusal> {
        let read = self.record(key, trace).await;
        let refusal = match read {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => match record::parse(&bytes) {
                Ok(record) => {
                    self.keep_record(key, &bytes);
                    return Ok(Some(record));
                }
                Err(error) => Refusal::RecordUnreadable(key.clone(), error),
            },
            Err(_) => Refusal::StoreUnavailable(key.namespace()),
        };
        let Some((bytes, age)) = self.last_good_record(key) else { return Err(refusal) };
        trace.stale = Some(age);
        record::parse(&bytes).map(Some).map_err(|_| refusal)
    }
}

/// How many components the request wants on a page.
fn page_size(request: &Request<'_>) -> Result<usize, Refusal> {
    let Some(text) = request.parameter("limit") else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or(Refusal::ParameterInvalid { name: "limit", takes: "a number from 1 to 1000" })
}

/// Reads a type out of a URL's path: what may stand in front of a name.
fn type_name(raw: &str) -> Result<String, Refusal> {
    let name = ComponentName::from_url_path(&format!("{raw}/a")).map_err(Refusal::Invalid)?;
    Ok(name.type_name().to_owned())
}

/// A page of `/catalog`.
#[derive(Serialize)]
struct Index<'a> {
    components: Vec<Summary<'a>>,
    cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    url: String,
}

impl<'a> Summary<'a> {
    fn of(name: &'a ComponentName) -> Self {
        let url = format!("/catalog/{name}");
        Self { name: name.as_str(), kind: name.type_name(), url }
    }
}

/// A component's versions, highest first, and its slots, as far as they may be seen.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    versions: Vec<&'a VersionRecord>,
    slots: Vec<SlotOf<'a>>,
}

#[derive(Serialize)]
struct SlotOf<'a> {
    slot: &'a Slot,
    targets: &'a [Target],
    segments: &'a VecMap<String, Arm>,
    hold: &'a Option<Hold>,
    moves: &'a [Move],
}

impl<'a> Entry<'a> {
    fn of(name: &'a ComponentName, record: &'a CatalogRecord, grant: &Grant) -> Self {
        let slots = record.slots.iter().filter(|(slot, _)| grant.sees_slot(name, slot));
        let slots: Vec<&SlotEntry> = slots.map(|(_, entry)| entry).collect();
        let held = |version: &VersionRecord| {
            let mut targets = slots.iter().flat_map(|entry| &entry.record.targets);
            targets.any(|target| target.arm.snapshot.version == version.snapshot.version)
        };
        let all = grant.sees_versions(name);
        // The record has them lowest first.
        let versions = record.versions.iter().rev().filter(|version| all || held(version));
        Self {
            name: name.as_str(),
            kind: name.type_name(),
            versions: versions.collect(),
            slots: slots.into_iter().map(SlotOf::of).collect(),
        }
    }
}

impl<'a> SlotOf<'a> {
    fn of(entry: &'a SlotEntry) -> Self {
        let SlotEntry { record, moves } = entry;
        let SlotRecord { slot, targets, segments, hold, .. } = record;
        Self { slot, targets, segments, hold, moves }
    }
}
