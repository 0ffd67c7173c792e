//! The commands, each as numbered steps.

pub(crate) mod sync;
