//! Texts: their escapes, and that they are UTF-8.

use std::borrow::Cow;

use super::error::Fault;
use super::scan::Scanner;

impl<'a> Scanner<'a> {
    /// The text whose quote comes next.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let plain = self.run()?;
        if self.take(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        while !self.take(b'"') {
            text.push(self.escaped()?);
            text.push_str(self.run()?);
        }
        Ok(Cow::Owned(text))
    }

    /// What stands there up to the next quote or escape.
    fn run(&mut self) -> Result<&'a str, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
        self.at += end.unwrap_or(rest.len());
        match self.peek() {
            None => self.fault("EOF while parsing a string"),
            Some(..0x20) => self.fault("control character (\\u0000-\\u001F) in a string"),
            Some(_) => {
                let run =
                    std::str::from_utf8(rest.get(..end.unwrap_or_default()).unwrap_or_default());
                run.or_else(|_| self.fault("invalid unicode code point"))
            }
        }
    }

    /// The character that the escape which comes next stands for.
    fn escaped(&mut self) -> Result<char, Fault> {
        self.at += 1;
        let Some(byte) = self.peek() else { return self.fault("EOF while parsing a string") };
        let plain = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return self.fault("invalid escape"),
        };
        self.at += 1;
        Ok(plain)
    }

    /// The code point of `u` and four hexadecimal digits, or of two surrogates.
    fn code_point(&mut self) -> Result<char, Fault> {
        let unit = self.unit()?;
        let mut units = vec![unit];
        if (0xD800..0xDC00).contains(&unit) && self.take(b'\\') {
            units.push(self.unit()?);
        }
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => self.fault("lone surrogate in hex escape"),
        }
    }

    fn unit(&mut self) -> Result<u16, Fault> {
        if !self.take(b'u') {
            return self.fault("lone surrogate in hex escape");
        }
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return self.fault("invalid escape") };
            unit = unit << 4 | digit as u16;
            self.at += 1;
        }
        Ok(unit)
    }
}
