//! The catalog's keys in the namespaces of the API.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use catalog::digest::Digest;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::record::{self, CatalogRecord, IndexRecord};
use notice::Refused;
use reconcile::plan::{Actual, Write, without_path};

use crate::nearest::nearest;
use crate::output::Meter;
use crate::target::KvTarget;
use kv_api::{self, ApiError, Batch, ListedKey, Pair};

/// The size in bytes up to which contents are read together, `TOGETHER` at a time.
pub(crate) const SMALL: u64 = 128 << 10;
const TOGETHER: usize = 100;

/// Both namespaces.
#[derive(Debug)]
pub(crate) struct Store<'a> {
    slots: kv_api::KvNamespace<'a>,
    components: kv_api::KvNamespace<'a>,
}

impl<'a> Store<'a> {
    /// Creates the namespaces of a target.
    pub(crate) fn new(target: &'a KvTarget) -> Self {
        Self {
            slots: kv_api::KvNamespace::new(&target.api, &target.ids.slots),
            components: kv_api::KvNamespace::new(&target.api, &target.ids.components),
        }
    }

    /// Returns one of the namespaces.
    pub(crate) fn namespace(&self, which: Namespace) -> &kv_api::KvNamespace<'a> {
        match which {
            Namespace::Slots => &self.slots,
            Namespace::Components => &self.components,
        }
    }

    /// Lists both namespaces, or the keys of these components. Reads every slot record, because the
    /// keys of slots have no metadata, and version records without a path in the metadata.
    pub(crate) fn list(&self, only: &[ComponentName], meter: &Meter) -> Result<Actual, ApiError> {
        let mut actual = match only {
            [] => Actual::default(),
            names => Actual::only(names.iter().cloned()),
        };
        self.pages(only, meter, |which, listed| actual.list(which, &listed.name, listed.metadata))?;
        let mut keys = actual.slot_keys();
        keys.extend(without_path(&actual));
        self.read(&keys, |key, value| actual.read(key, value))?;
        Ok(actual)
    }

    /// Lists both namespaces, or the keys of these components without their catalogs. If all
    /// keys are listed, the runs of syncs come first: their later changes are listed later.
    pub(crate) fn pages(
        &self,
        only: &[ComponentName],
        meter: &Meter,
        mut take: impl FnMut(Namespace, ListedKey),
    ) -> Result<(), ApiError> {
        let prefixes = match only {
            [] => vec![String::new()],
            names => names.iter().map(|name| format!("{name}@")).collect(),
        };
        for which in [Namespace::Components, Namespace::Slots] {
            for prefix in &prefixes {
                for page in self.namespace(which).list(prefix) {
                    let page = page?;
                    meter.add(page.len());
                    page.into_iter().for_each(|listed| take(which, listed));
                }
            }
        }
        Ok(())
    }

    /// Reads contents, given with their sizes if these are known; `take` gets each with its bytes,
    /// `None` if it does not exist. At most the contents of one call are in memory.
    pub(crate) fn contents(
        &self,
        contents: &[(Digest, Option<u64>)],
        mut take: impl FnMut(Digest, Option<&[u8]>),
    ) -> Result<(), ApiError> {
        let namespace = self.namespace(Namespace::Components);
        let mut alone: Vec<Digest> = Vec::new();
        let (small, large): (Vec<_>, Vec<_>) =
            contents.iter().partition(|(_, size)| size.is_some_and(|size| size <= SMALL));
        alone.extend(large.iter().map(|(digest, _)| *digest));
        for some in small.chunks(TOGETHER) {
            let keys: BTreeMap<String, Digest> = some
                .iter()
                .map(|(digest, _)| (Key::Content(*digest).to_string(), *digest))
                .collect();
            let texts: Vec<String> = keys.keys().cloned().collect();
            namespace.get_texts(&texts, |key, value| {
                let Some(digest) = keys.get(key) else { return };
                // A bulk get changes contents that are not text.
                match value {
                    Some(value) if Digest::of(value) == *digest => take(*digest, Some(value)),
                    _ => alone.push(*digest),
                }
            })?;
        }
        for digest in alone {
            take(digest, namespace.get(&Key::Content(digest).to_string())?.as_deref());
        }
        Ok(())
    }

    /// Writes records, as many in each call as the API takes.
    pub(crate) fn write_records(&self, writes: &[&Write]) -> Result<()> {
        for which in [Namespace::Slots, Namespace::Components] {
            let namespace = self.namespace(which);
            let mut batch = Batch::new(namespace.limits());
            for write in writes.iter().filter(|write| write.key().namespace() == which) {
                let (key, metadata) = (write.key().to_string(), write.metadata());
                let value = write.record().unwrap_or_default();
                let pair = Pair { key: &key, value: &value, metadata: metadata.as_ref() };
                if !batch.push(pair) {
                    let full = std::mem::replace(&mut batch, Batch::new(namespace.limits()));
                    namespace.put_batch(full)?;
                    ensure!(batch.push(pair), "{key}: {} bytes are too many", value.len());
                }
            }
            if !batch.is_empty() {
                namespace.put_batch(batch)?;
            }
        }
        Ok(())
    }

    /// Returns a component's catalog record; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// If KV can't be read, or if the record is malformed.
    pub(crate) fn catalog(&self, name: &ComponentName) -> Result<Option<CatalogRecord>> {
        let key = Key::Catalog(name.clone());
        let mut read = None;
        self.read(std::slice::from_ref(&key), |_, value| read = value.map(record::parse))?;
        read.transpose().with_context(|| format!("the record {key} in KV cannot be used"))
    }

    /// Returns the components that the index in KV lists.
    ///
    /// # Errors
    ///
    /// If KV can't be read, or if the index is malformed.
    pub(crate) fn components(&self) -> Result<Vec<ComponentName>> {
        let mut read = None;
        self.read(&[Key::Index], |_, value| read = value.map(record::parse::<IndexRecord>))?;
        let index = read.transpose().context("the index in KV cannot be used")?;
        Ok(index.map_or_else(Vec::new, |index| index.components))
    }

    /// Returns the refusal of a component that KV does not have, with the nearest one that it has.
    ///
    /// # Errors
    ///
    /// If KV can't be read, or if the index is malformed.
    pub(crate) fn unknown(&self, name: &ComponentName) -> Result<Refused> {
        let known = self.components()?;
        let help = match nearest(name.as_str(), known.iter().map(ComponentName::as_str)) {
            Some(near) => format!("did you mean {near}? slotctl history {near}"),
            None => "list the components with slotctl status; write them with slotctl sync".into(),
        };
        Ok(Refused::new(name.to_string(), "KV has no such component", help))
    }

    /// Reads records; `take` gets each key with its value, `None` if it was deleted.
    pub(crate) fn read(
        &self,
        keys: &[Key],
        mut take: impl FnMut(&Key, Option<&[u8]>),
    ) -> Result<(), ApiError> {
        for which in [Namespace::Slots, Namespace::Components] {
            let keys: BTreeMap<String, &Key> = keys
                .iter()
                .filter(|key| key.namespace() == which)
                .map(|key| (key.to_string(), key))
                .collect();
            let texts: Vec<String> = keys.keys().cloned().collect();
            self.namespace(which).get_texts(&texts, |text, value| {
                if let Some(key) = keys.get(text) {
                    take(key, value);
                }
            })?;
        }
        Ok(())
    }
}
