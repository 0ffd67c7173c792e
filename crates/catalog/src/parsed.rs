//! The parsed forms of records, kept while their texts are the same.

use std::cell::RefCell;
use std::rc::Rc;

use crate::record::{self, CatalogRecord, RangesRecord, Record, RecordError};

/// The records that were parsed last. A catalog record of 10,000 versions takes 30 ms to parse, and
/// many references may ask for it.
#[derive(Default)]
pub struct ParsedRecords {
    /// The catalog record.
    pub catalog: LastParsed<CatalogRecord>,
    /// The ranges record.
    pub ranges: LastParsed<RangesRecord>,
}

/// The record of a kind that was parsed last.
pub struct LastParsed<T>(RefCell<Option<Parsed<T>>>);

/// The text of a record and its parsed form.
type Parsed<T> = (Rc<[u8]>, Rc<T>);

impl<T> Default for LastParsed<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T: Record> LastParsed<T> {
    /// Parses a record, unless it is the last one again.
    ///
    /// # Errors
    ///
    /// [`RecordError`] as for [`record::parse`].
    pub fn parse(&self, text: &Rc<[u8]>) -> Result<Rc<T>, RecordError> {
        if let Some((known, record)) = &mut *self.0.borrow_mut()
            && (Rc::ptr_eq(known, text) || known == text)
        {
            // The next comparison with this text is one of pointers.
            known.clone_from(text);
            return Ok(record.clone());
        }
        // The last one is freed first, so that two are never in memory.
        self.0.take();
        let parsed = Rc::new(record::parse::<T>(text)?);
        self.0.replace(Some((text.clone(), parsed.clone())));
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_again_only_if_it_differs() {
        let parsed = ParsedRecords::default().catalog;
        let text = |slots: &str| -> Rc<[u8]> {
            Rc::from(format!(r#"{{"format":1,"versions":[],"slots":{slots}}}"#).as_bytes())
        };
        let first = parsed.parse(&text("{}")).unwrap();
        assert!(Rc::ptr_eq(&first, &parsed.parse(&text("{}")).unwrap()));
        let second = parsed.parse(&text(" {}")).unwrap();
        assert!(!Rc::ptr_eq(&first, &second));
        assert!(parsed.parse(&text("[")).is_err());
        assert!(!Rc::ptr_eq(&second, &parsed.parse(&text(" {}")).unwrap()));
    }
}
