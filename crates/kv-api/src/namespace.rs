//! The keys and values of one namespace.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::batch::Batch;
use crate::client::KvApi;
use crate::envelope;
use crate::error::{ApiError, Cause};
use crate::http::{ApiCall, HttpAnswer};
use crate::limits::CallLimits;

/// The characters to escape in a path segment or a query: all but "unreserved" (RFC 3986).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The maximum number of keys in one bulk get.
const KEYS_PER_GET: usize = 100;

/// The maximum number of keys on one page.
const KEYS_PER_PAGE: usize = 1_000;

/// A namespace of a [`KvApi`].
#[derive(Clone, Debug)]
pub struct KvNamespace<'a> {
    api: &'a KvApi,
    path: String,
}

/// A key of a listing.
#[derive(Debug, Deserialize)]
pub struct ListedKey {
    /// The key.
    pub name: String,
    /// The metadata of its value.
    #[serde(default)]
    pub metadata: Option<Value>,
}

impl<'a> KvNamespace<'a> {
    /// Creates a handle for the namespace with this id. Makes no call.
    pub fn new(api: &'a KvApi, id: &str) -> Self {
        let path = format!("/storage/kv/namespaces/{}", utf8_percent_encode(id, ESCAPED));
        Self { api, path }
    }

    /// Returns the limits of one call.
    pub fn limits(&self) -> CallLimits {
        self.api.limits
    }

    /// Lists every key that begins with `prefix`, one page of up to 1,000 keys at a time.
    pub fn list(&self, prefix: &str) -> Pages<'a> {
        let prefix = match prefix {
            "" => String::new(),
            prefix => format!("&prefix={}", utf8_percent_encode(prefix, ESCAPED)),
        };
        Pages { namespace: self.clone(), prefix, cursor: Some(String::new()) }
    }

    /// Reads a value. Returns `None` if the key does not exist.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ApiError> {
        let call = ApiCall::get(self.value_path(key));
        self.api.http.call(&call, |answer| {
            if answer.is_success() {
                return Ok(Some(answer.body));
            }
            let cause = envelope::refused(&answer);
            if cause.is_absent_key() { Ok(None) } else { Err(cause) }
        })
    }

    /// Reads the text values of any number of keys, 100 per call. Bytes that are not UTF-8 are
    /// replaced with U+FFFD.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn get_texts(
        &self,
        keys: &[String],
        mut take: impl FnMut(&str, Option<&[u8]>),
    ) -> Result<(), ApiError> {
        keys.chunks(KEYS_PER_GET).try_for_each(|keys| self.get_chunk(keys, &mut take))
    }

    /// Makes one bulk get. If the API refuses it, the keys are split into two calls: the values
    /// are too large together (413), or a value is not text (400) and needs its own call.
    fn get_chunk(
        &self,
        keys: &[String],
        take: &mut dyn FnMut(&str, Option<&[u8]>),
    ) -> Result<(), ApiError> {
        if let [key] = keys {
            take(key, self.get(key)?.as_deref());
            return Ok(());
        }
        let body = json!({ "keys": keys }).to_string();
        let path = format!("{}/bulk/get", self.path);
        let call = ApiCall::with_json(Method::POST, path, body.as_bytes());
        match self.api.http.call(&call, |answer| envelope::result::<Values>(&answer)) {
            Ok(Values { values }) => {
                for key in keys {
                    let text = values.get(key).and_then(Option::as_deref);
                    take(key, text.map(str::as_bytes));
                }
                Ok(())
            }
            Err(ApiError { cause: Cause::Refused { status: 400 | 413, .. }, .. }) => {
                let (first, second) = keys.split_at(keys.len() / 2);
                self.get_chunk(first, take)?;
                self.get_chunk(second, take)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes one value of at most 25 MiB without encoding.
    ///
    /// # Errors
    ///
    /// [`ApiError`]
    pub fn put(&self, key: &str, value: &[u8]) -> Result<(), ApiError> {
        let call = ApiCall::with_bytes(Method::PUT, self.value_path(key), value);
        self.api.http.call(&call, done)
    }

    /// Writes the pairs of a batch. Pairs that the API did not write are sent again.
    ///
    /// # Errors
    ///
    /// [`ApiError`], with `Cause::Partial` if only a part was written.
    pub fn put_batch(&self, batch: Batch) -> Result<(), ApiError> {
        self.bulk(Method::PUT, &format!("{}/bulk", self.path), batch)
    }

    /// Deletes the keys of a batch. Keys that do not exist are ignored.
    ///
    /// # Errors
    ///
    /// [`ApiError`], with `Cause::Partial` if only a part was deleted.
    pub fn delete_batch(&self, batch: Batch) -> Result<(), ApiError> {
        self.bulk(Method::POST, &format!("{}/bulk/delete", self.path), batch)
    }

    fn bulk(&self, method: Method, path: &str, mut batch: Batch) -> Result<(), ApiError> {
        let http = &self.api.http;
        let mut delays = http.delays();
        for attempt in 1.. {
            let call = ApiCall::with_json(method.clone(), path.to_owned(), batch.body());
            let undone = http.call(&call, |a| envelope::unsuccessful(&a, batch.len()))?;
            let rest = batch.only(&undone);
            if undone.is_empty() {
                break;
            }
            let error = http.error(&call, Cause::Partial(undone), attempt);
            // Only keys that were sent can be sent again.
            let Some(wait) = delays.next().filter(|_| !rest.is_empty()) else { return Err(error) };
            http.pause(&error, wait);
            batch = rest;
        }
        Ok(())
    }

    fn value_path(&self, key: &str) -> String {
        format!("{}/values/{}", self.path, utf8_percent_encode(key, ESCAPED))
    }
}

/// The pages of a listing.
#[derive(Debug)]
pub struct Pages<'a> {
    namespace: KvNamespace<'a>,
    /// The prefix of the keys, as a part of the query.
    prefix: String,
    /// The cursor of the next page; `None` after the last page.
    cursor: Option<String>,
}

impl Iterator for Pages<'_> {
    type Item = Result<Vec<ListedKey>, ApiError>;

    fn next(&mut self) -> Option<Self::Item> {
        let cursor = self.cursor.take()?;
        let KvNamespace { api, path } = &self.namespace;
        let at = match cursor.as_str() {
            "" => String::new(),
            cursor => format!("&cursor={}", utf8_percent_encode(cursor, ESCAPED)),
        };
        let call = ApiCall::get(format!("{path}/keys?limit={KEYS_PER_PAGE}{}{at}", self.prefix));
        let page = api.http.call(&call, |answer| {
            let (keys, info) = envelope::page::<Vec<ListedKey>>(&answer)?;
            let next = info.cursor.filter(|next| !next.is_empty());
            // A repeated cursor would never end, and to stop here would report the remaining
            // keys as absent.
            match next.as_ref() == Some(&cursor) {
                true => Err(Cause::Invalid("the listing leads back to itself".to_owned())),
                false => Ok((keys, next)),
            }
        });
        Some(page.map(|(keys, next)| {
            self.cursor = next;
            keys
        }))
    }
}

/// The result of a bulk get.
#[derive(Debug, Deserialize)]
struct Values {
    values: BTreeMap<String, Option<String>>,
}

/// Checks that a call succeeded and ignores its result.
fn done(answer: HttpAnswer) -> Result<(), Cause> {
    if answer.is_success() { Ok(()) } else { Err(envelope::refused(&answer)) }
}
