//! Reads a local Git repository into the state that Workers KV should have.
//!
//! The meaning of the tags is decided elsewhere ([`reconcile::tag`], [`reconcile::source`],
//! [`reconcile::compile`]). This module has the order in which the repository is read: refs,
//! tag objects and commits, trees and registries, contents.

mod contents;
mod files;
mod known;
mod model;
mod opened;
mod peel;
mod registries;
mod rollouts;
mod state;
mod store;
pub(crate) mod tags;
mod trees;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use catalog::record::MAX_VALUE;

pub(crate) use self::known::Known;
pub(crate) use self::model::{
    BlobSource, Blobs, ContentPlace, OnProgress, ReadPart, ReadProgress, Reading,
};
pub(crate) use self::opened::Opened;
pub(crate) use self::peel::Peeler;
pub(crate) use self::rollouts::Rollouts;
pub(crate) use self::state::RepositoryState;
pub(crate) use reconcile::compile::LogicTag;

use crate::source::{SharedSource, Source};
use git::objects::{ObjectAnswer, ObjectRequest, Objects};

/// Reads a source, or a part of it.
///
/// `registry` names a file in the format of `.edgit/components.json` that is used before those
/// of the repository. It is an error only if the whole repository is unreadable; a mistake in
/// one tag is a notice.
pub(crate) fn read_part(
    source: &SharedSource,
    registry: Option<&Path>,
    part: ReadPart<'_>,
    progress: OnProgress<'_>,
) -> Result<Reading> {
    let mut opened = Opened::open(Arc::clone(source), registry, part)?;
    opened.read_tags(progress)?;
    opened.read_files(None, progress)
}

/// Opens a source for the contents that a [`Reading`] of it names.
pub(crate) fn open_blobs(source: &Source) -> Box<dyn Blobs> {
    Box::new(RepositoryBlobs { objects: source.objects() })
}

struct RepositoryBlobs {
    objects: Objects,
}

impl Blobs for RepositoryBlobs {
    fn read(&mut self, source: &BlobSource) -> Result<Vec<u8>> {
        let bytes = match &source.place {
            ContentPlace::Git(id) => match self
                .objects
                .ask_one(ObjectRequest::Contents(MAX_VALUE), *id)?
            {
                ObjectAnswer::Found { body, .. } => body,
                _ => bail!("the object {id} cannot be read any more: was the repository repacked?"),
            },
            ContentPlace::Lfs(path) => {
                std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?
            }
        };
        match bytes.len() as u64 == source.size {
            true => Ok(bytes),
            false => bail!("a content changed while it was read: run the sync again"),
        }
    }
}

#[cfg(test)]
mod tests;
