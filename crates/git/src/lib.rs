//! A local repository, read and changed through the `git` executable.
//!
//! Git itself understands every form a repository can have: work tree, bare,
//! mirror, worktrees, packed refs, reftable, alternates.
//!
//! In scope: refs, objects, branches, remotes, Git LFS pointers, and the notes of
//! what a remote had ([`seen`]). [`mod@write`] and [`remote`] do what the user asked for,
//! as the user's own Git would. [`remote_refs`] asks what a remote has and [`fetch`]
//! brings objects that the clone lacks; neither changes the clone. Nothing else accesses
//! a network or runs what the configuration of a repository names.
//!
//! Out of scope: the meaning of tags and files (`crates/reconcile`), the terminal
//! (`crates/slotctl`).

pub mod address;
pub mod branch;
mod cat_file;
pub mod changes;
pub mod command;
pub mod describe;
pub mod fetch;
pub mod history;
pub mod lfs;
pub mod missing;
pub mod network;
pub mod object_store;
pub mod objects;
mod quarantine;
pub mod refs;
pub mod remote;
pub mod remote_refs;
mod repository;
pub mod seen;
mod transport;
pub mod write;

#[cfg(test)]
mod fetch_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use repository::Repository;
