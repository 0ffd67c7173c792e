//! A local repository, read and changed through the `git` executable.
//!
//! The `git` executable supports every form of a repository: work tree, bare, mirror,
//! worktrees, packed refs, reftable, alternates.
//!
//! In scope: refs, objects, branches, remotes, Git LFS pointers, and the record of the last
//! known state of a remote ([`seen`]). [`mod@write`] and [`remote`] do what the user asked for,
//! with the user's own Git configuration. [`remote_refs`] lists the refs of a remote and
//! [`fetch`] fetches objects that the clone lacks; neither changes the clone. No other module
//! accesses a network or runs programs that the configuration of a repository names.
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
mod missing;
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
