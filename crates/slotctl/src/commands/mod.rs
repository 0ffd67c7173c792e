//! The commands, each as numbered steps.

pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod lint;
pub(crate) mod push;
pub(crate) mod release;
pub(crate) mod rollback;
pub(crate) mod rollout;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod tag;
pub(crate) mod token;
pub(crate) mod verify;
