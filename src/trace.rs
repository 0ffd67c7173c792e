//! The facts about a request for `Server-Timing`, the log and Analytics Engine.

use catalog::reference::Address;
use catalog::resolution::{Found, Selected};
use serde::Serialize;

use crate::config::ScriptVersion;

/// The facts about a request, collected while it is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The number of reads of Workers KV; a bulk read is one.
    pub kv_reads: u32,
    /// Milliseconds for which the request has paused until this location sees a write.
    pub waited: u32,
    /// The source of the content.
    pub content: ContentSource,
    /// The age of the record in seconds, if KV failed and the last good record answers.
    pub stale: Option<u64>,
    /// The requested address in its canonical spelling.
    pub address: Option<Address>,
    /// The version that answers.
    pub selected: Option<Selected>,
    /// The stable code of a refusal.
    pub code: Option<&'static str>,
}

/// The source of a content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentSource {
    /// No content was needed.
    #[default]
    None,
    /// The isolate's memory.
    Memory,
    /// Workers KV.
    Kv,
}

impl ContentSource {
    /// Returns the name in `Server-Timing` and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::Kv => "kv",
        }
    }
}

/// The log line of a request, and the source of its data point in Analytics Engine.
///
/// It contains only parsed values of the request: no token, no version key, no free text.
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

/// The methods in a log line, including RPC over a service binding. Any other method is
/// `OTHER`.
const METHODS: [&str; 5] = ["GET", "HEAD", "OPTIONS", "POST", "RPC"];

impl Trace {
    /// Records the version that answers. `stale` is the age of its record in seconds, if the
    /// last good record was used.
    pub fn select(&mut self, selected: &Selected, stale: Option<u64>) {
        self.selected = Some(selected.clone());
        self.stale = stale;
    }

    /// Returns the log line of the request.
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
    /// Returns the line as compact JSON, which contains no line break.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the blobs of an Analytics Engine data point, in the order of
    /// `docs/observability.md`.
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

    /// Returns the doubles of an Analytics Engine data point: status, reads of KV, age in
    /// seconds, and 1 if the answer was stale. The last one is needed because the age can be
    /// less than a second.
    pub fn doubles(&self) -> [f64; 4] {
        let stale = self.stale.unwrap_or(0) as f64;
        let is_stale = f64::from(u8::from(self.stale.is_some()));
        [f64::from(self.status), f64::from(self.kv_reads), stale, is_stale]
    }
}
