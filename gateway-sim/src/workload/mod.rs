//! Traffic for a [replay](crate::replay): recorded, or generated from a seed.
//!
//! - [`read`] takes traces: Mooncake's, Azure's and the gateway's own log.
//! - [`generate`] makes traffic of one kind each: shared prefixes, agents, chats, long documents and more.
//! - [`Arrivals`] says when requests come, [`Objectives`] what they want, [`Retime`] changes how fast a trace runs.
//!
//! Prompts are never text here: a prompt is a list of block ids, and an id stands for its block and everything before it
//! ([`Prompt`]). All randomness follows from one seed.

mod arrivals;
mod draw;
mod facts;
pub mod generate;
mod objectives;
mod prompt;
pub mod read;
mod request;
mod retime;

pub use arrivals::Arrivals;
pub use facts::Facts;
pub use objectives::Objectives;
pub use prompt::{Prompt, Segments};
pub use request::Draft;
pub use retime::Retime;
