//! The state of an isolate.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use worker::Env;

use super::known::KnownUrls;
use super::kv::{self, KvStore};
use super::limiter::Limiter;
use super::reply::{Analytics, HeaderNames, Prepared};
use super::secret::StoredTokens;
use super::setting;
use super::waiting::Waiting;
use crate::config::read_access::READ_TOKENS;
use crate::config::{Config, ScriptVersion};
use crate::lane::Lane;
use crate::resolve::reader::Reader;
use crate::resolve::reader::{MissingContent, ReadAhead};

/// The state of an isolate, which serves one script version with one environment for its whole
/// life.
pub(super) struct Isolate {
    pub(super) config: Config,
    pub(super) reader: Reader<KvStore>,
    pub(super) lane: RefCell<Lane<KnownUrls, Prepared>>,
    /// Responses of the lane whose contents are being read.
    pub(super) waiting: RefCell<Waiting<(Rc<Prepared>, MissingContent)>>,
    pub(super) analytics: Option<Analytics>,
    pub(super) names: HeaderNames,
    /// The read tokens, if they are in the Secrets Store.
    tokens: Option<StoredTokens>,
}

thread_local! {
    static ISOLATE: RefCell<Option<Rc<Isolate>>> = const { RefCell::new(None) };
}

/// Returns the isolate, or `None` before its first request.
pub(super) fn isolate() -> Option<Rc<Isolate>> {
    ISOLATE.with_borrow(Clone::clone)
}

impl Isolate {
    /// Returns the isolate. The first request creates it.
    pub(super) fn of(env: &Env) -> Rc<Self> {
        isolate().unwrap_or_else(|| {
            let isolate = Rc::new(Self::new(env));
            isolate.lane.borrow().table().serve();
            ISOLATE.replace(Some(isolate.clone()));
            isolate
        })
    }

    /// Creates an isolate that no request uses.
    pub(super) fn new(env: &Env) -> Self {
        let config = Config::read(&|name| setting::read(env, name), script_version(env));
        let limiter = Reflect::get(env, &"RATE_LIMITER".into()).unwrap_or_default();
        let limiter = Limiter::of(limiter, &config);
        let store = KvStore::of(env, &config, limiter);
        Self {
            lane: RefCell::new(Lane::new(store.known_urls())),
            reader: Reader::new(&config, store),
            waiting: RefCell::default(),
            analytics: Analytics::of(env, &config.script_version),
            names: HeaderNames::default(),
            tokens: setting::stored(env, READ_TOKENS).map(StoredTokens::new),
            config,
        }
    }

    /// Returns the isolate with read tokens that are not too old.
    pub(super) async fn ready(env: &Env) -> Rc<Self> {
        let isolate = Self::of(env);
        if let Some(tokens) = &isolate.tokens {
            Box::pin(tokens.refresh(&isolate.config)).await;
        }
        isolate
    }

    /// Converts the result of the read that [`KnownUrls`] began for a URL: `record` is the text,
    /// `null` for absence, the error, or `undefined` if nothing was read.
    pub(super) fn read_ahead(&self, url: &str, record: JsValue) -> Option<ReadAhead> {
        if record.is_undefined() {
            return None;
        }
        let key = self.lane.borrow_mut().key(url)?;
        Some(ReadAhead { key, read: kv::text(record) })
    }
}

fn script_version(env: &Env) -> ScriptVersion {
    let metadata = Reflect::get(env, &"CF_VERSION_METADATA".into()).unwrap_or_default();
    let member = |name| text(&metadata, name).unwrap_or_default();
    ScriptVersion { id: member("id"), tag: member("tag"), timestamp: member("timestamp") }
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &name.into()).ok()?.as_string()
}
