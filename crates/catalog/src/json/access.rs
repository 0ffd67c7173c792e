//! The items of a list and the members of an object, one after the other.

use serde::de::{DeserializeSeed, Expected, MapAccess, SeqAccess};

use super::error::Fault;
use super::scan::{Kind, Scanner};

/// What is left of a list or an object.
pub(super) struct Items<'s, 'a> {
    scanner: &'s mut Scanner<'a>,
    close: u8,
    first: bool,
}

impl<'s, 'a> Items<'s, 'a> {
    /// Steps into the list or the object that has to follow.
    pub(super) fn begin(
        scanner: &'s mut Scanner<'a>,
        kind: Kind,
        expected: &dyn Expected,
    ) -> Result<Self, Fault> {
        scanner.expect(kind, expected)?;
        scanner.enter()?;
        let close = if kind == Kind::List { b']' } else { b'}' };
        Ok(Self { scanner, close, first: true })
    }

    fn next(&mut self) -> Result<bool, Fault> {
        self.scanner.item(self.close, std::mem::take(&mut self.first))
    }

    /// Nothing may be left.
    pub(super) fn end(mut self) -> Result<(), Fault> {
        match self.next()? {
            true => self.scanner.fault("more items than expected"),
            false => {
                self.scanner.leave();
                Ok(())
            }
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        if self.next()? { seed.deserialize(&mut *self.scanner).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        if !self.next()? {
            return Ok(None);
        }
        self.scanner.name()?;
        seed.deserialize(&mut *self.scanner).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        self.scanner.colon()?;
        seed.deserialize(&mut *self.scanner)
    }
}
