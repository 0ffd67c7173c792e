//! Components under the keys by which Conductor reads a KV namespace.
//!
//! What a key means is `catalog::conductor`'s; what it leads to is resolved as for
//! HTTP. A key that leads nowhere is absent, as in Workers KV; whatever else keeps
//! it from being answered is a refusal, never an absence.

use catalog::access::Grant;
use catalog::assign::Caller;
use catalog::conductor::{Listing, Meaning, Metadata, Page, meanings, versions_index};
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{self, CatalogRecord, IndexRecord, VersionRecord};
use catalog::reference::Reference;
use catalog::refusal::Refusal;

use crate::resolve::backend::Backend;
use crate::resolve::{Asked, Resolved, Resolver};
use crate::trace::Trace;

/// Contents in one answer, in bytes: what Workers KV gives in one bulk read.
const MAX_BULK: u64 = 25 << 20;

/// Catalog records that a listing reads at once: each may be large.
const CATALOGS: usize = 25;

/// What a key holds.
pub(crate) enum Value<C> {
    /// A component's bytes.
    Content(C),
    /// A text that was made here.
    Text(String),
}

/// A key's value, and its metadata where that was asked for and there is some.
pub(crate) struct Held<C> {
    pub(crate) value: Value<C>,
    pub(crate) metadata: Option<Metadata>,
}

/// What a key holds, if it is there.
pub(crate) type Lookup<C> = Result<Option<Held<C>>, Refusal>;

impl<B: Backend> Resolver<B> {
    /// What a key holds for a caller.
    pub(crate) async fn lookup(
        &self,
        key: &str,
        caller: &Caller,
        described: bool,
        trace: &mut Trace,
    ) -> Lookup<B::Content> {
        for meaning in meanings(key) {
            let (name, reference) = match meaning {
                Meaning::Versions(name) => match self.versions_of(name, trace).await? {
                    None => continue,
                    found => return Ok(found),
                },
                Meaning::Content(name, reference) => (name, reference),
            };
            let asked = Asked { name, reference, caller: caller.clone() };
            trace.address.get_or_insert_with(|| asked.address());
            match self.resolve(&asked, &Grant::All, trace).await {
                Ok(resolved) => {
                    trace.address = Some(asked.address());
                    return self.held(&asked, resolved, described, trace).await.map(Some);
                }
                Err(refusal) if refusal.status() == 404 => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(None)
    }

    /// What several keys hold: a bulk read a namespace and round, then the contents
    /// that are not in memory.
    pub(crate) async fn lookup_all(
        &self,
        keys: &[String],
        caller: &Caller,
        described: bool,
        trace: &mut Trace,
    ) -> Result<Vec<Option<Held<B::Content>>>, Refusal> {
        let mut left = MAX_BULK;
        let mut held: Vec<Option<Held<B::Content>>> = keys.iter().map(|_| None).collect();
        let mut open: Vec<_> = keys.iter().map(|key| meanings(key).into_iter()).collect();
        loop {
            let (places, names) = self.next_meanings(&mut held, &mut open, trace).await?;
            if names.is_empty() {
                return Ok(held);
            }
            let asked = |(name, reference)| Ok(Asked { name, reference, caller: caller.clone() });
            let round = names.into_iter().map(asked).collect();
            let settled = self.settle_all(round, &Grant::All, trace).await;
            for (place, settled) in places.into_iter().zip(settled) {
                let (asked, resolved) = match settled {
                    Ok(found) => found,
                    Err(refusal) if refusal.status() == 404 => continue,
                    Err(refusal) => return Err(refusal),
                };
                left = afford(left, &resolved)?;
                let found = self.held(&asked, resolved, described, trace).await?;
                if let Some(slot) = held.get_mut(place) {
                    *slot = Some(found);
                }
            }
        }
    }

    /// The next thing that each key which led nowhere yet can mean, with its place.
    /// A list of versions is looked up on the way.
    async fn next_meanings(
        &self,
        held: &mut [Option<Held<B::Content>>],
        open: &mut [impl Iterator<Item = Meaning>],
        trace: &mut Trace,
    ) -> Result<(Vec<usize>, Vec<(ComponentName, Reference)>), Refusal> {
        let (mut places, mut names) = (Vec::new(), Vec::new());
        for (place, (found, rest)) in held.iter_mut().zip(open).enumerate() {
            while found.is_none() {
                match rest.next() {
                    Some(Meaning::Versions(name)) => *found = self.versions_of(name, trace).await?,
                    Some(Meaning::Content(name, reference)) => {
                        places.push(place);
                        names.push((name, reference));
                        break;
                    }
                    None => break,
                }
            }
        }
        Ok((places, names))
    }

    /// The keys after `after` that begin with `prefix`, at most `limit`.
    pub(crate) async fn keys(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
        trace: &mut Trace,
    ) -> Result<Page, Refusal> {
        let index = self.stored::<IndexRecord>(&Key::Index, trace).await?;
        let names = index.map(|index| index.components).unwrap_or_default();
        let mut listing = Listing::new(&names, prefix, after, limit);
        loop {
            let wanted = listing.wants(CATALOGS);
            if wanted.is_empty() {
                return Ok(listing.finish());
            }
            self.supply(&mut listing, wanted, trace).await?;
        }
    }

    async fn supply(
        &self,
        listing: &mut Listing,
        names: Vec<ComponentName>,
        trace: &mut Trace,
    ) -> Result<(), Refusal> {
        let keys: Vec<Key> = names.iter().cloned().map(Key::Catalog).collect();
        let texts: Vec<String> = keys.iter().map(Key::to_string).collect();
        trace.kv_reads += 1;
        let ttl = self.config.slot_cache_ttl;
        let read = self.backend.records(Namespace::Components, &texts, ttl).await;
        let values = read.map_err(|_| Refusal::StoreUnavailable(Namespace::Components))?;
        for ((name, key), value) in names.into_iter().zip(keys).zip(values) {
            let parse = |bytes: Vec<u8>| record::parse::<CatalogRecord>(&bytes);
            let unreadable = |error| Refusal::RecordUnreadable(key, error);
            let catalog = value.map(parse).transpose().map_err(unreadable)?;
            listing.supply(&name, catalog.as_ref());
        }
        Ok(())
    }

    async fn versions_of(&self, name: ComponentName, trace: &mut Trace) -> Lookup<B::Content> {
        let catalog = self.stored::<CatalogRecord>(&Key::Catalog(name), trace).await?;
        let text = catalog.map(|catalog| Value::Text(versions_index(&catalog)));
        Ok(text.map(|value| Held { value, metadata: None }))
    }

    async fn held(
        &self,
        asked: &Asked,
        resolved: Resolved,
        described: bool,
        trace: &mut Trace,
    ) -> Result<Held<B::Content>, Refusal> {
        let (resolved, content) = self.with_content(asked, resolved, trace).await?;
        trace.select(&resolved);
        let metadata = match described {
            true => Some(self.describe(&resolved, trace).await?),
            false => None,
        };
        Ok(Held { value: Value::Content(content), metadata })
    }

    /// The metadata, for which the version's record says who made it.
    async fn describe(&self, resolved: &Resolved, trace: &mut Trace) -> Result<Metadata, Refusal> {
        let selected = &resolved.selected;
        let key = Key::Version(selected.name.clone(), selected.snapshot.version.clone());
        let record = match self.record(&key, trace).await {
            Ok(record) => record,
            Err(_) => match self.last_good_record(&key) {
                Some((record, _)) => Some(record),
                None => return Err(Refusal::StoreUnavailable(key.namespace())),
            },
        };
        let mut author = None;
        if let Some(bytes) = record {
            let unreadable = |error| Refusal::RecordUnreadable(key.clone(), error);
            author = Some(record::parse::<VersionRecord>(&bytes).map_err(unreadable)?.author);
            self.keep_record(&key, &bytes);
        }
        Ok(Metadata::of_selected(selected, author.as_deref(), resolved.stale))
    }
}

fn afford(left: u64, resolved: &Resolved) -> Result<u64, Refusal> {
    let selected = &resolved.selected;
    let too_large =
        || Refusal::ContentTooLarge(selected.name.clone(), selected.snapshot.version.clone());
    left.checked_sub(selected.snapshot.size).ok_or_else(too_large)
}
