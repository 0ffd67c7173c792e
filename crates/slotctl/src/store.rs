//! The catalog's keys in the namespaces of the API.

use std::collections::BTreeMap;

use anyhow::Result;
use catalog::key::{Key, Namespace};
use catalog::name::ComponentName;
use catalog::plan::Actual;

use crate::kv_api::{self, ApiError};
use crate::output::Meter;
use crate::target::Target;

/// Both namespaces.
#[derive(Debug)]
pub(crate) struct Store<'a> {
    slots: kv_api::Namespace<'a>,
    components: kv_api::Namespace<'a>,
}

impl<'a> Store<'a> {
    /// The namespaces of a target.
    pub(crate) fn new(target: &'a Target) -> Self {
        Self {
            slots: target.api.namespace(&target.ids.slots),
            components: target.api.namespace(&target.ids.components),
        }
    }

    /// One of them.
    pub(crate) fn namespace(&self, which: Namespace) -> &kv_api::Namespace<'a> {
        match which {
            Namespace::Slots => &self.slots,
            Namespace::Components => &self.components,
        }
    }

    /// Lists both, or what they have of these components, and reads every slot record:
    /// their namespace has no metadata to tell a change by.
    pub(crate) fn list(&self, only: &[ComponentName], meter: &Meter) -> Result<Actual, ApiError> {
        let mut actual = match only {
            [] => Actual::default(),
            names => Actual::only(names.iter().cloned()),
        };
        for which in [Namespace::Slots, Namespace::Components] {
            for prefix in actual.prefixes() {
                for page in self.namespace(which).list(&prefix) {
                    let page = page?;
                    meter.add(page.len());
                    for listed in page {
                        actual.list(which, &listed.name, listed.metadata);
                    }
                }
            }
        }
        let slots = actual.slot_keys();
        self.read(&slots, |key, value| actual.read(key, value))?;
        Ok(actual)
    }

    /// Reads records; `take` gets each key with its value, `None` if it is gone.
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
