//! The body of a bulk call, filled up to the API's limits.

use std::collections::HashSet;
use std::ops::Range;

use base64ct::{Base64, Encoding};
use serde::Serialize;
use serde_json::Value;

use crate::limits::CallLimits;

/// A key with its value and metadata.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The key.
    pub key: &'a str,
    /// Its value.
    pub value: &'a [u8],
    /// Its metadata.
    pub metadata: Option<&'a Value>,
}

/// A pair in the form of the API: text unchanged, other bytes in Base64.
#[derive(Serialize)]
struct Encoded<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    base64: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Value>,
}

impl Pair<'_> {
    fn encode(&self) -> Vec<u8> {
        let Self { key, metadata, .. } = *self;
        let json = |value: &str, base64| {
            // A value with string keys only, written to a Vec: this cannot fail.
            serde_json::to_vec(&Encoded { key, value, base64, metadata }).unwrap_or_default()
        };
        match std::str::from_utf8(self.value) {
            Ok(text) => json(text, false),
            Err(_) => json(&Base64::encode_string(self.value), true),
        }
    }
}

/// The pairs to write or the keys to delete in one bulk call. They are encoded as they are
/// sent, so that their exact size counts against the limits and nothing is copied.
#[derive(Debug)]
pub struct Batch {
    limits: CallLimits,
    /// A complete JSON array after every change.
    body: Vec<u8>,
    keys: Vec<(String, Range<usize>)>,
}

impl Batch {
    /// Creates an empty batch.
    pub fn new(limits: CallLimits) -> Self {
        Self { limits, body: b"[]".to_vec(), keys: Vec::new() }
    }

    /// Adds a pair to write if it fits. Returns true if it was added.
    pub fn push(&mut self, pair: Pair<'_>) -> bool {
        self.push_encoded(pair.key, &pair.encode())
    }

    /// Adds a key to delete if it fits. Returns true if it was added.
    pub fn push_key(&mut self, key: &str) -> bool {
        self.push_encoded(key, &serde_json::to_vec(key).unwrap_or_default())
    }

    fn push_encoded(&mut self, key: &str, encoded: &[u8]) -> bool {
        let comma = usize::from(!self.keys.is_empty());
        let full = self.keys.len() >= self.limits.pairs;
        if full || self.body.len() + comma + encoded.len() > self.limits.bytes {
            return false;
        }
        self.body.pop();
        self.body.extend_from_slice(b",".get(..comma).unwrap_or_default());
        let start = self.body.len();
        self.body.extend_from_slice(encoded);
        self.keys.push((key.to_owned(), start..self.body.len()));
        self.body.push(b']');
        true
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Tells if the batch has no keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the body to send.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns a batch with only the entries of these keys.
    #[must_use]
    pub fn only(&self, keys: &[String]) -> Self {
        let wanted: HashSet<&str> = keys.iter().map(String::as_str).collect();
        let mut rest = Self::new(self.limits);
        for (key, range) in self.keys.iter().filter(|(key, _)| wanted.contains(key.as_str())) {
            rest.push_encoded(key, self.body.get(range.clone()).unwrap_or_default());
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn batch(pairs: usize, bytes: usize) -> Batch {
        Batch::new(CallLimits { pairs, bytes, inline: 0 })
    }

    fn pair<'a>(key: &'a str, value: &'a [u8]) -> Pair<'a> {
        Pair { key, value, metadata: None }
    }

    #[test]
    fn only_values_that_are_not_utf8_are_encoded_in_base64() {
        let mut batch = batch(9, 999);
        let metadata = json!({"hash": "x"});
        assert!(
            batch.push(Pair {
                metadata: Some(&metadata),
                ..pair("a", "\u{feff}\r\n\"\0".as_bytes())
            })
        );
        assert!(batch.push(pair("b", b"\xff")));
        assert!(batch.push(pair("c", b"")));
        let body: Value = serde_json::from_slice(batch.body()).unwrap();
        assert_eq!(
            body,
            json!([
                {"key": "a", "value": "\u{feff}\r\n\"\0", "metadata": {"hash": "x"}},
                {"key": "b", "value": "/w==", "base64": true},
                {"key": "c", "value": ""},
            ])
        );
    }

    #[test]
    fn batch_limits_count_the_serialized_bytes() {
        let one = br#"[{"key":"k","value":"12345"}]"#.len();
        for (bytes, fits) in [(one - 1, 0), (one, 1), (2 * one - 2, 1), (2 * one - 1, 2)] {
            let mut batch = batch(9, bytes);
            let pushed =
                ["k", "l"].iter().take_while(|key| batch.push(pair(key, b"12345"))).count();
            assert_eq!((pushed, batch.len()), (fits, fits), "{bytes}");
            assert!(batch.is_empty() || batch.body().len() <= bytes);
        }
        let mut batch = batch(2, 999);
        assert!(batch.push(pair("a", b"")) && batch.push(pair("b", b"")));
        assert!(!batch.push(pair("c", b"")));
    }

    #[test]
    fn keys_to_delete_are_serialized_as_a_list_of_strings() {
        let mut batch = batch(9, 999);
        assert_eq!(batch.body(), b"[]");
        assert!(batch.push_key("a\"b") && batch.push_key("c"));
        assert_eq!(batch.body(), br#"["a\"b","c"]"#);
        assert_eq!(batch.only(&["c".to_owned()]).body(), br#"["c"]"#);
    }

    #[test]
    fn only_keeps_the_pairs_with_the_given_keys() {
        let mut batch = batch(9, 999);
        for key in ["a", "b", "c"] {
            batch.push(pair(key, key.as_bytes()));
        }
        let rest = batch.only(&["c".to_owned(), "a".to_owned(), "unknown".to_owned()]);
        let expected = r#"[{"key":"a","value":"a"},{"key":"c","value":"c"}]"#;
        assert_eq!(str::from_utf8(rest.body()).unwrap(), expected);
    }
}
