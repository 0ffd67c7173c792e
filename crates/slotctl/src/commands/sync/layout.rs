//! `--layout conductor`: copies of contents in the namespace that is bound as `CONDUCTOR`,
//! for Workers that have not moved to the resolver yet.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use catalog::digest::Digest;
use catalog::key::Key;
use catalog::name::ComponentName;
use catalog::record::{self, CatalogRecord};
use reconcile::conductor::{CopyItem, CopyPlan, CopyValue, HeldCopies, index_keys, layout};
use reconcile::plan::{Plan, Write};
use serde_json::json;

use super::apply::Apply;
use crate::args::{self, SyncArgs};
use crate::context::Session;
use crate::exit::Exit;
use crate::output::{Output, count};
use crate::read::{self, Blobs, Reading};
use crate::store::Store;
use crate::target::KvTarget;
use kv_api::{Batch, KvNamespace, Pair};
use notice::Refused;

/// The copies: their namespace, and the changes to make in it.
pub(super) struct Copies<'a> {
    namespace: KvNamespace<'a>,
    id: &'a str,
    pub(super) layout: CopyPlan,
}

/// The result of carrying out a layout.
#[derive(Debug, Default)]
pub(super) struct Copied {
    written: usize,
    deleted: usize,
    pub(super) error: Option<anyhow::Error>,
}

impl<'a> Copies<'a> {
    /// Plans the changes of the copies for KV as it is after `plan` is carried out. Returns
    /// `None` if there is no namespace `id` for them.
    pub(super) fn plan(
        session: &Session<'a, SyncArgs>,
        id: Option<&'a str>,
        plan: &Plan,
    ) -> Result<Option<Self>> {
        let Session { args, target, store, output, .. } = session;
        let Some(id) = id else { return Ok(None) };
        let (began, only) = (Instant::now(), args.part.only.as_slice());
        let namespace = kv_api::KvNamespace::new(&target.api, id);
        let catalogs = catalogs(store, plan, only)?;
        let held = held(&namespace, &catalogs)?;
        let keys = count(held.keys.len(), "key");
        output.step("layout", format_args!("{keys} in CONDUCTOR {id}"), began);
        let layout = layout(&catalogs, &held, only, args.prune, args.allow_mass_delete);
        let copies = Self { namespace, id, layout };
        copies.show(output);
        Ok(Some(copies))
    }

    fn show(&self, output: &Output) {
        let CopyPlan { writes, deletions, kept, foreign, blocked, .. } = &self.layout;
        for (number, mark, what) in [
            (writes.len(), '+', ""),
            (deletions.len(), '-', ""),
            (kept.len(), '=', ": no tag has them, kept"),
            (*foreign, '=', " not written by slotctl, left alone"),
        ] {
            if number > 0 {
                let keys = count(number, "key");
                output.say(format_args!("  {mark} {keys} for Conductor{what}"));
            }
        }
        if let Some(notice) = blocked {
            output.refusal(notice);
        }
    }

    /// Writes copies, then deletes copies, in the order of the layout.
    pub(super) fn carry_out(&self, sync: &Apply<'_>) -> Copied {
        let mut copied = Copied::default();
        if let Some(notice) = &self.layout.blocked {
            copied.error = Some(Refused(notice.clone()).into());
            return copied;
        }
        let began = Instant::now();
        let ended = self.write(sync, &mut copied).and_then(|()| self.delete(&mut copied));
        copied.error = ended.err();
        if copied.written + copied.deleted > 0 {
            let (written, deleted) = (count(copied.written, "key"), copied.deleted);
            sync.session.output.step(
                "layout",
                format_args!("{written} written, {deleted} deleted"),
                began,
            );
        }
        copied
    }

    /// Returns the exit of a sync, given its exit without the copies and their result.
    pub(super) fn exit(&self, exit: Exit, args: &SyncArgs, copied: &Copied) -> Exit {
        match exit {
            _ if copied.error.is_some() || self.layout.blocked.is_some() => Exit::Failed,
            Exit::Done if args.check && !self.layout.is_empty() => Exit::Drift,
            exit => exit,
        }
    }

    fn write(&self, sync: &Apply<'_>, copied: &mut Copied) -> Result<()> {
        let contents = LayoutContents { reading: sync.reading, store: &sync.session.store };
        let mut batch = Batch::new(self.namespace.limits());
        let mut blobs = match self.layout.writes.is_empty() {
            true => return Ok(()),
            false => read::open_blobs(&sync.reading.source),
        };
        for CopyItem { key, value, metadata } in &self.layout.writes {
            let bytes = match value {
                CopyValue::Content(digest) => contents.read(*digest, blobs.as_mut())?,
                CopyValue::Index(text) => text.clone().into_bytes(),
            };
            let metadata = metadata.as_ref().map(|metadata| json!(metadata));
            let pair = Pair { key, value: &bytes, metadata: metadata.as_ref() };
            if !batch.push(pair) {
                self.send(&mut batch, copied)?;
                if !batch.push(pair) {
                    bail!("{key}: {} bytes are too many for one call", bytes.len());
                }
            }
        }
        self.send(&mut batch, copied)
    }

    fn send(&self, batch: &mut Batch, copied: &mut Copied) -> Result<()> {
        let full = std::mem::replace(batch, Batch::new(self.namespace.limits()));
        let number = full.len();
        if number > 0 {
            self.namespace.put_batch(full)?;
            copied.written += number;
        }
        Ok(())
    }

    fn delete(&self, copied: &mut Copied) -> Result<()> {
        for keys in self.layout.deletions.chunks(self.namespace.limits().pairs) {
            let mut batch = Batch::new(self.namespace.limits());
            if !keys.iter().all(|key| batch.push_key(key)) {
                bail!("{} keys are too many for one call", keys.len());
            }
            self.namespace.delete_batch(batch)?;
            copied.deleted += keys.len();
        }
        Ok(())
    }

    /// Returns the plan and the result as JSON.
    pub(super) fn value(&self, copied: &Copied) -> serde_json::Value {
        let CopyPlan { writes, deletions, kept, foreign, unchanged, blocked } = &self.layout;
        json!({
            "namespace": self.id,
            "writes": writes.iter().map(|item| item.key.as_str()).collect::<Vec<_>>(),
            "deletions": deletions,
            "kept": kept,
            "foreign": foreign,
            "unchanged": unchanged,
            "blocked": blocked.as_ref().map(|notice| notice.what.as_str()),
            "written": copied.written,
            "deleted": copied.deleted,
        })
    }
}

/// Returns the id of the namespace of the copies if the command line asks for copies.
pub(super) fn namespace(args: &SyncArgs, target: &KvTarget) -> Result<Option<String>> {
    let Some(args::LayoutArg::Conductor) = args.layout else { return Ok(None) };
    target.conductor(args.conductor_id.as_deref()).map(Some)
}

/// Returns the catalogs in KV as they are after the plan is carried out.
fn catalogs(
    store: &Store<'_>,
    plan: &Plan,
    only: &[ComponentName],
) -> Result<BTreeMap<ComponentName, CatalogRecord>> {
    let names = if only.is_empty() { store.components()? } else { only.to_vec() };
    let keys: Vec<Key> = names.into_iter().map(Key::Catalog).collect();
    let mut catalogs = BTreeMap::new();
    let mut broken = None;
    store.read(&keys, |key, value| {
        let (Key::Catalog(name), Some(bytes)) = (key, value) else { return };
        match record::parse::<CatalogRecord>(bytes) {
            Ok(record) => drop(catalogs.insert(name.clone(), record)),
            Err(error) => broken = Some(format!("the record {key} in COMPONENTS: {error}")),
        }
    })?;
    for write in &plan.writes {
        if let Write::Catalog { name, record, .. } = write {
            catalogs.insert(name.clone(), (**record).clone());
            broken = broken.filter(|text| !text.contains(&format!("record {name} ")));
        }
    }
    for key in &plan.deletions {
        if let Key::Catalog(name) = key {
            catalogs.remove(name);
        }
    }
    broken.map_or(Ok(catalogs), |text| bail!("{text}"))
}

/// Reads the keys and the indexes that the namespace holds.
fn held(
    namespace: &KvNamespace<'_>,
    catalogs: &BTreeMap<ComponentName, CatalogRecord>,
) -> Result<HeldCopies> {
    let mut held = HeldCopies::default();
    for page in namespace.list("") {
        held.keys.extend(page?.into_iter().map(|listed| (listed.name, listed.metadata)));
    }
    let mut indexes = index_keys(catalogs.keys().cloned());
    indexes.retain(|key| held.keys.contains_key(key));
    namespace.get_texts(&indexes, |key, value| {
        if let Some(text) = value {
            held.indexes.insert(key.to_owned(), String::from_utf8_lossy(text).into_owned());
        }
    })?;
    Ok(held)
}

/// A reader of contents by digest: from Git, or from KV for versions without a tag.
struct LayoutContents<'a> {
    reading: &'a Reading,
    store: &'a Store<'a>,
}

impl LayoutContents<'_> {
    fn read(&self, digest: Digest, blobs: &mut dyn Blobs) -> Result<Vec<u8>> {
        let key = Key::Content(digest);
        let bytes = match self.reading.contents.get(&digest) {
            Some(source) => blobs.read(source)?,
            None => {
                let found = self.store.namespace(key.namespace()).get(&key.to_string())?;
                found.with_context(|| format!("neither Git nor COMPONENTS has {key}"))?
            }
        };
        if Digest::of(&bytes) != digest {
            bail!("the content {key} changed during the sync; run it again");
        }
        Ok(bytes)
    }
}
