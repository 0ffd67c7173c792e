//! Reads JSON (RFC 8259) into what derives `Deserialize`.
//!
//! For what the Worker reads: objects, lists, texts, integers, booleans and `null`; no
//! type with a fraction, an `enum` or borrowed text. Whatever else is valid JSON can
//! stand in members that nobody reads. `serde_json` writes, and reads elsewhere; why not
//! here, docs/decisions/0014-json.md says. The two agree on what JSON is, which
//! `tests/json.rs` and the fuzzing of `json` show.

mod access;
mod error;
mod scan;
mod text;

pub use self::error::JsonError;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use self::access::Items;
use self::error::Fault;
use self::scan::{Kind, Scanner};

/// Reads a value that takes up all of `bytes`, but for white space around it.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut scanner = Scanner::new(bytes);
    let read = T::deserialize(&mut scanner).and_then(|value| {
        scanner.end()?;
        Ok(value)
    });
    read.map_err(|fault| fault.locate(bytes, scanner.at))
}

impl<'de> Deserializer<'de> for &mut Scanner<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.kind()? {
            Kind::Null => {
                self.null()?;
                visitor.visit_unit()
            }
            Kind::Boolean => self.deserialize_bool(visitor),
            Kind::Number => self.deserialize_u64(visitor),
            Kind::Text => self.deserialize_str(visitor),
            Kind::List => self.deserialize_seq(visitor),
            Kind::Object => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.expect(Kind::Boolean, &visitor)?;
        visitor.visit_bool(self.boolean()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.expect(Kind::Number, &visitor)?;
        let (negative, size) = self.integer(&visitor)?;
        if negative {
            visitor.visit_i64(size.wrapping_neg().cast_signed())
        } else {
            visitor.visit_u64(size)
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.expect(Kind::Text, &visitor)?;
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.kind()? {
            Kind::Null => {
                self.null()?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut items = Items::begin(self, Kind::List, &visitor)?;
        let value = visitor.visit_seq(&mut items)?;
        items.end()?;
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let mut items = Items::begin(self, Kind::Object, &visitor)?;
        let value = visitor.visit_map(&mut items)?;
        items.end()?;
        Ok(value)
    }

    /// An object; serde_json takes a list of the members' values, too.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}
