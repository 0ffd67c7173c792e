//! From the tags of a repository to the state of Workers KV.
//!
//! In scope: reading tags and `rollouts.toml`, where a component's file is
//! ([`source`]), the records that the tags ask for ([`compile`], [`desired`]), the
//! writes that bring KV there ([`plan`], [`conductor`]), the check of a whole
//! namespace ([`audit`]) and the writes of a rollback ([`rollback`]).
//!
//! Out of scope: the records and their grammars, which the Worker reads too
//! (`crates/catalog`); running Git (`crates/git`), the KV REST API
//! (`crates/kv-api`) and the terminal (`crates/slotctl`). Nothing here does I/O or
//! asks for the time or for random numbers: all of it arrives as values.

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
