//! The parsed form of a catalog record, kept while its text is the same.

use std::cell::RefCell;
use std::rc::Rc;

use crate::record::{self, CatalogRecord, RecordError};

/// The catalog record that was parsed last. A record of 10,000 versions takes 30 ms to parse, and
/// many references may ask for it.
#[derive(Default)]
pub struct ParsedCatalog(RefCell<Option<Parsed>>);

/// The text of a record and its parsed form.
type Parsed = (Rc<[u8]>, Rc<CatalogRecord>);

impl ParsedCatalog {
    /// Parses a catalog record, unless it is the last one again.
    ///
    /// # Errors
    ///
    /// [`RecordError`] as for [`record::parse`].
    pub fn parse(&self, text: &Rc<[u8]>) -> Result<Rc<CatalogRecord>, RecordError> {
        if let Some((known, catalog)) = &mut *self.0.borrow_mut()
            && (Rc::ptr_eq(known, text) || known == text)
        {
            // The next comparison with this text is one of pointers.
            known.clone_from(text);
            return Ok(catalog.clone());
        }
        // The last one is freed first, so that two are never in memory.
        self.0.take();
        let catalog = Rc::new(record::parse::<CatalogRecord>(text)?);
        self.0.replace(Some((text.clone(), catalog.clone())));
        Ok(catalog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_again_only_if_it_differs() {
        let parsed = ParsedCatalog::default();
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
