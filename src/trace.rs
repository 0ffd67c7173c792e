//! What a request came to: for `Server-Timing`, the log and Analytics Engine.

use std::rc::Rc;

use catalog::key::Key;
use catalog::reference::Address;
use catalog::resolution::{Found, Selected};
use serde::Serialize;

use crate::config::ScriptVersion;
use crate::resolve::backend::Read;

/// What is known of a request while it is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Reads of Workers KV; a bulk read is one.
    pub kv_reads: u32,
    /// Where the content came from.
    pub content: Source,
    /// Seconds since the record that answers was last read, where KV failed.
    pub stale: Option<u64>,
    /// What was asked for, in its canonical spelling.
    pub address: Option<Address>,
    /// What answered.
    pub selected: Option<Selected>,
    /// The record that led to it, with its key.
    pub record: Option<(Key, Rc<[u8]>)>,
    /// The stable code of a refusal.
    pub code: Option<&'static str>,
    /// A slot's record that was read before the request was looked at.
    pub read_ahead: Option<(Key, Read<Vec<u8>>)>,
}

/// Where a content came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// It was not needed.
    #[default]
    None,
    /// The isolate's memory.
    Memory,
    /// Workers KV.
    Kv,
}

impl Source {
    /// As `Server-Timing` and the log say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Kv => "kv",
        }
    }
}

/// The line that is logged for a request, and what Analytics Engine gets of it.
///
/// Nothing of the request stands here but what its grammar admitted: no token, no
/// version key, no free text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine<'a> {
    method: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<&'static str>,
    kv_reads: u32,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<u64>,
    script_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    script_version_tag: &'a str,
}

/// The methods that a log line names, RPC over a service binding among them;
/// another one is `OTHER`.
const METHODS: [&str; 5] = ["GET", "HEAD", "OPTIONS", "POST", "RPC"];

impl Trace {
    /// The request's log line.
    pub fn log<'a>(&'a self, method: &str, status: u16, script: &'a ScriptVersion) -> LogLine<'a> {
        let method = METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER");
        let slot = match self.selected.as_ref().map(|selected| &selected.found) {
            Some(Found::Slot(slot)) => Some(slot),
            _ => None,
        };
        let address = self.address.as_ref();
        let reference = address.and_then(|address| address.reference.as_ref());
        LogLine {
            method,
            status,
            code: self.code,
            component: address.map(|address| address.name.as_str()),
            reference: reference.map(ToString::to_string),
            slot: slot.map(|slot| slot.slot.as_str()),
            version: self.selected.as_ref().map(|selected| selected.snapshot.version.to_string()),
            assignment: slot.map(|slot| slot.assignment.as_str()),
            kv_reads: self.kv_reads,
            source: self.content.as_str(),
            stale: self.stale,
            script_version: &script.id,
            script_version_tag: &script.tag,
        }
    }
}

impl LogLine<'_> {
    /// The line itself: compact JSON, in which a line break can't stand.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The texts of an Analytics Engine data point, in the order that
    /// `docs/observability.md` gives.
    pub fn blobs(&self) -> [&str; 10] {
        [
            self.component.unwrap_or(""),
            self.reference.as_deref().unwrap_or(""),
            self.slot.unwrap_or(""),
            self.version.as_deref().unwrap_or(""),
            self.assignment.unwrap_or(""),
            self.source,
            self.script_version,
            self.code.unwrap_or(""),
            self.script_version_tag,
            self.method,
        ]
    }

    /// The numbers of an Analytics Engine data point: status, reads of KV, seconds stale,
    /// and 1 where the answer was stale, as it can be that for less than a second.
    pub fn doubles(&self) -> [f64; 4] {
        let stale = self.stale.unwrap_or(0) as f64;
        let is_stale = f64::from(u8::from(self.stale.is_some()));
        [f64::from(self.status), f64::from(self.kv_reads), stale, is_stale]
    }
}
