//! KV events: requests go where the events say that their prefix is.
//!
//! Nothing but events can know in these tests: prompts are computed by requests that go straight to an engine, past the
//! router.

mod bound;
mod gaps;
mod late;
mod lost;
mod polled;
mod publisher;
mod ranks;
pub(crate) mod rig;
mod room;
mod sources;
