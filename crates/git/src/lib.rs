//! A local repository, read and changed through the `git` executable.
//!
//! Git itself understands every form a repository can have: work tree, bare,
//! mirror, worktrees, packed refs, reftable, alternates.
//!
//! In scope: refs, objects, branches, remotes, Git LFS pointers, and the notes of
//! what a remote had ([`seen`]). [`mod@write`] and [`remote`] do what the user asked for,
//! as the user's own Git would; nothing else accesses a network or runs what the
//! configuration of a repository names.
//!
//! Out of scope: the meaning of tags and files (`crates/reconcile`), the terminal
//! (`crates/slotctl`).

pub mod branch;
pub mod command;
pub mod describe;
pub mod lfs;
pub mod objects;
pub mod refs;
pub mod remote;
mod repository;
pub mod seen;
pub mod write;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use repository::Repository;
