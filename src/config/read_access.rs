//! `READ_TOKENS`: whether reading needs a token, and which ones.

use std::cell::RefCell;

use catalog::access::{Grant, ReadTokens};
use catalog::digest::Digest;
use catalog::refusal::Refusal;

use super::raw::{RawSetting, Setting};

/// The name of the setting.
pub const READ_TOKENS: &str = "READ_TOKENS";

/// The tokens that may read. They change while an isolate lives if they are a secret of the
/// Secrets Store, which is read again from time to time.
#[derive(Clone, Debug)]
pub struct ReadAccess(RefCell<Setting<Option<ReadTokens>>>);

impl ReadAccess {
    /// Reads the setting: the JSON text of a secret, or a table. If it is not set, every caller
    /// may read. If it cannot be read, nobody may.
    pub fn read(raw: &RawSetting) -> Self {
        let tokens = raw.document().map_err(|_| invalid());
        Self(RefCell::new(tokens.and_then(|text| text.map(parse).transpose())))
    }

    /// Replaces the tokens with those of `text`. A text that cannot be read refuses every
    /// caller.
    pub fn replace(&self, text: &str) {
        *self.0.borrow_mut() = parse(text).map(Some);
    }

    /// Refuses every caller, because it is not known any more which tokens are valid.
    pub fn refuse(&self) {
        *self.0.borrow_mut() = Err(invalid());
    }

    /// Tells if a token is needed to read.
    pub fn needs_token(&self) -> bool {
        !matches!(*self.0.borrow(), Ok(None))
    }

    /// Returns the SHA-256 of a valid token. It is also the name of the token.
    pub fn token_hash(&self, token: &str) -> Option<Digest> {
        let tokens = self.0.borrow();
        tokens.as_ref().ok()?.as_ref()?.hash(token).copied()
    }

    /// Returns the rights of a caller with this token: all rights if no tokens are set.
    ///
    /// # Errors
    ///
    /// 401 without a valid token, 503 if the setting cannot be read.
    pub fn grant(&self, token: Option<&str>) -> Result<Grant, Refusal> {
        let tokens = self.0.borrow();
        match tokens.as_ref() {
            Ok(None) => Ok(Grant::All),
            Ok(Some(tokens)) => {
                let grant = token.and_then(|token| tokens.grant(token));
                grant.cloned().ok_or(Refusal::TokenRequired)
            }
            Err(refusal) => Err(refusal.clone()),
        }
    }
}

fn parse(text: &str) -> Setting<ReadTokens> {
    text.parse().map_err(|_| invalid())
}

fn invalid() -> Refusal {
    Refusal::ConfigurationInvalid { name: READ_TOKENS }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: &str =
        r#"{"5ef5ef0364b6939c4ca61f34b393f7b368d1be8619647aaf83d5b395919ab629":["*"]}"#;

    #[test]
    fn tokens_are_read_from_a_text_and_from_a_table() {
        for raw in [RawSetting::Text(TOKENS.to_owned()), RawSetting::Json(TOKENS.to_owned())] {
            let access = ReadAccess::read(&raw);
            assert!(access.needs_token() && access.grant(Some("all")).is_ok());
            assert_eq!(access.grant(None), Err(Refusal::TokenRequired));
            assert_eq!(access.grant(Some("wrong")), Err(Refusal::TokenRequired));
        }
        let open = ReadAccess::read(&RawSetting::Unset);
        assert!(!open.needs_token());
        assert_eq!(open.grant(None), Ok(Grant::All));
    }

    #[test]
    fn a_setting_that_cannot_be_read_opens_nothing() {
        let json = |text: &str| RawSetting::Json(text.to_owned());
        let text = |text: &str| RawSetting::Text(text.to_owned());
        for raw in [
            json("null"),
            json("1"),
            json("false"),
            json("[]"),
            json(r#"{"all":["*"]}"#),
            text(""),
            text("null"),
            text("{}x"),
            RawSetting::Unreadable,
        ] {
            let access = ReadAccess::read(&raw);
            assert!(access.needs_token(), "{raw:?}");
            assert_eq!(access.grant(Some("all")), Err(invalid()), "{raw:?}");
        }
    }

    #[test]
    fn replaced_tokens_count_at_once_and_never_open() {
        let access = ReadAccess::read(&RawSetting::Unreadable);
        access.replace(TOKENS);
        assert!(access.grant(Some("all")).is_ok());
        access.replace("{}");
        assert_eq!(access.grant(Some("all")), Err(Refusal::TokenRequired));
        access.replace("null");
        assert!(access.needs_token());
        assert_eq!(access.grant(Some("all")), Err(invalid()));
        access.replace(TOKENS);
        access.refuse();
        assert!(access.needs_token());
        assert_eq!(access.grant(Some("all")), Err(invalid()));
    }
}
