//! The commands, each as numbered steps.

pub(crate) mod push;
pub(crate) mod sync;
pub(crate) mod tag;
