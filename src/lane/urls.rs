//! The URLs that the lane knows, as the platform finds them before the lane is asked.

use std::borrow::Cow;

use crate::resolve::memory::CacheKey;

/// The platform's table of the URLs that the lane knows. It has the key of the record that is
/// read for each, so that the read begins without a question to the lane.
pub trait UrlTable {
    /// A text in the form of the platform.
    type Text: Clone + PartialEq + 'static;

    /// Converts a text to the platform's form.
    fn text(&self, text: &str) -> Self::Text;

    /// Adds a URL with the key in `SLOTS` that is read for it, or without one if no record is
    /// read. Returns its number.
    fn add(&self, url: &str, key: Option<&str>) -> UrlNumber;

    /// Returns the number of a URL.
    fn number(&self, url: &str) -> Option<UrlNumber>;

    /// Removes a URL, unless it has another number by now.
    fn remove(&self, url: &str, number: UrlNumber);
}

/// The number of a URL in a table. No other URL gets the same number, also not from a later
/// table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlNumber([u8; 4]);

impl From<u32> for UrlNumber {
    fn from(number: u32) -> Self {
        Self(number.to_le_bytes())
    }
}

impl From<UrlNumber> for u32 {
    fn from(number: UrlNumber) -> Self {
        Self::from_le_bytes(number.0)
    }
}

impl CacheKey for UrlNumber {
    fn bytes(&self) -> Cow<'_, [u8]> {
        self.0.as_slice().into()
    }
}
