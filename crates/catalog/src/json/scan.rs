//! JSON's tokens, one after the other. None of this is generic, so that it is in the
//! Worker once.

use serde::de::Expected;

use super::error::Fault;

/// How deep lists and objects may stand in one another: hostile input must not use up
/// the stack.
const DEPTH: usize = 128;

/// A place in a text.
pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    depth: usize,
}

/// What a value is, as its first byte says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    /// A fault of the byte that comes next.
    #[cold]
    pub(super) fn fault<T>(&self, what: &str) -> Result<T, Fault> {
        let offset = self.bytes.len().min(self.at + 1);
        Err(Fault::new(what.to_owned(), Some(offset)))
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over a byte, if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    pub(super) fn white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.white();
        if self.peek().is_none() { Ok(()) } else { self.fault("trailing characters") }
    }

    /// The kind of the value that follows.
    pub(super) fn kind(&mut self) -> Result<Kind, Fault> {
        self.white();
        match self.peek() {
            Some(b'n') => Ok(Kind::Null),
            Some(b't' | b'f') => Ok(Kind::Boolean),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b'"') => Ok(Kind::Text),
            Some(b'[') => Ok(Kind::List),
            Some(b'{') => Ok(Kind::Object),
            Some(_) => self.fault("expected value"),
            None => self.fault("EOF while parsing a value"),
        }
    }

    /// Refuses a value of another kind.
    pub(super) fn expect(&mut self, kind: Kind, expected: &dyn Expected) -> Result<(), Fault> {
        let found = self.kind()?;
        if found == kind {
            return Ok(());
        }
        self.fault(&format!("invalid type: {}, expected {expected}", found.name()))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn null(&mut self) -> Result<(), Fault> {
        if self.word("null") { Ok(()) } else { self.fault("expected null") }
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Fault> {
        if self.word("true") {
            return Ok(true);
        }
        if self.word("false") { Ok(false) } else { self.fault("expected true or false") }
    }

    /// Whether an integer is negative, and how large it is without its sign.
    pub(super) fn integer(&mut self, expected: &dyn Expected) -> Result<(bool, u64), Fault> {
        let began = self.at;
        let negative = self.take(b'-');
        let digits = self.at;
        self.digits()?;
        let size = self.bytes.get(digits..self.at).unwrap_or_default();
        let size = size.iter().try_fold(0_u64, |size, digit| {
            size.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        let most = if negative { 1 << 63 } else { u64::MAX };
        let is_whole = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        match size {
            // -0 is no integer: it has a sign that an integer could not keep.
            Some(size) if is_whole && size <= most && (size, negative) != (0, true) => {
                Ok((negative, size))
            }
            _ => {
                self.at = began;
                self.number()?;
                let what = "a number with a fraction, an exponent or too many digits";
                Err(Fault::new(format!("invalid type: {what}, expected {expected}"), None))
            }
        }
    }

    /// Steps over a number.
    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        self.digits()?;
        if self.take(b'.') {
            self.some_digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.some_digits()?;
        }
        Ok(())
    }

    /// Steps over the digits of an integer: no zero stands before others.
    fn digits(&mut self) -> Result<(), Fault> {
        if !self.take(b'0') {
            return self.some_digits();
        }
        if matches!(self.peek(), Some(b'0'..=b'9')) { self.fault("invalid number") } else { Ok(()) }
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.fault("invalid number");
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    /// Steps into a list or an object.
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == DEPTH {
            return self.fault("lists and objects stand too deep in one another");
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Steps out of it.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Whether a list or an object, which ends with `close`, has another item, to which
    /// it steps over the comma.
    pub(super) fn item(&mut self, close: u8, first: bool) -> Result<bool, Fault> {
        self.white();
        match self.peek() {
            Some(byte) if byte == close => return Ok(false),
            Some(_) if first => return Ok(true),
            Some(b',') => self.at += 1,
            Some(_) if close == b']' => return self.fault("expected `,` or `]`"),
            Some(_) => return self.fault("expected `,` or `}`"),
            None if close == b']' => return self.fault("EOF while parsing a list"),
            None => return self.fault("EOF while parsing an object"),
        }
        self.white();
        if self.peek() == Some(close) { self.fault("trailing comma") } else { Ok(true) }
    }

    /// The name of a member has to follow.
    pub(super) fn name(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => Ok(()),
            Some(_) => self.fault("key must be a string"),
            None => self.fault("EOF while parsing an object"),
        }
    }

    /// The colon between a member's name and its value has to follow.
    pub(super) fn colon(&mut self) -> Result<(), Fault> {
        self.white();
        if self.take(b':') { Ok(()) } else { self.fault("expected `:`") }
    }

    /// Steps over a value.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        match self.kind()? {
            Kind::Null => self.null(),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Number => self.number(),
            Kind::Text => self.text().map(drop),
            Kind::List => self.skip_items(b']'),
            Kind::Object => self.skip_items(b'}'),
        }
    }

    fn skip_items(&mut self, close: u8) -> Result<(), Fault> {
        self.enter()?;
        let mut first = true;
        while self.item(close, std::mem::take(&mut first))? {
            if close == b'}' {
                self.name()?;
                self.text()?;
                self.colon()?;
            }
            self.skip()?;
        }
        self.leave();
        Ok(())
    }
}
