//! From the tags of a repository to the state of Workers KV.
//!
//! In scope: reading tags and `rollouts.toml`, finding a component's file ([`source`]), the
//! records that the tags ask for ([`compile`], [`desired`]), the writes that bring KV to this
//! state ([`plan`], [`conductor`]), the check of a whole namespace ([`audit`]) and the writes
//! of a rollback ([`rollback`]).
//!
//! Out of scope: the records and their grammars, which the Worker reads too (`crates/catalog`);
//! running Git (`crates/git`), the KV REST API (`crates/kv-api`) and the terminal
//! (`crates/slotctl`). This crate does no I/O and does not ask for the time or for random
//! numbers: all of these are passed in as values.

pub mod audit;
pub mod compile;
pub mod conductor;
pub mod desired;
pub mod history;
pub mod plan;
pub mod policy;
pub mod rollback;
pub mod source;
pub mod tag;
