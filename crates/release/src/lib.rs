//! The decisions of a gradual release of the Worker.
//!
//! In scope: the steps of a share ([`percent`]), the state of a release in the active
//! deployment ([`message`], [`state`]), the next action ([`progress`]), the judgement of
//! measurements ([`judge`], [`bound`]) and of the protection of answers ([`protection`]), and the
//! JSON that wrangler prints ([`model`]).
//!
//! Out of scope: calling wrangler, sending requests, waiting and printing (`crates/slotctl`).
//! Nothing here does I/O or reads the clock: a run that was killed continues from the state
//! that Cloudflare has deployed.

pub mod bound;
pub mod judge;
pub mod message;
pub mod model;
pub mod percent;
pub mod progress;
pub mod protection;
pub mod state;
