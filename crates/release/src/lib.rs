//! The decisions of a gradual release of the Worker.
//!
//! In scope: the steps of a share ([`percent`]), what an active deployment says of a
//! release ([`message`], [`state`]), what comes next ([`progress`]), and whether
//! what was measured is good enough ([`judge`], [`bound`]); the JSON that wrangler
//! prints ([`model`]).
//!
//! Out of scope: calling wrangler, sending requests, waiting and printing
//! (`crates/slotctl`). Nothing here does I/O or asks for the time, so that a run which
//! was killed continues from what Cloudflare has deployed.

pub mod bound;
pub mod judge;
pub mod message;
pub mod model;
pub mod percent;
pub mod progress;
pub mod state;
