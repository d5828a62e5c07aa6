//! The Responses API as the Open Responses specification has it, and what the gateway adds to it: keeping, background work,
//! conversations, owners. Real sockets, and a simulated engine that speaks a small model's tokens by a script.

mod background;
mod bounds;
mod chat;
mod compaction;
mod conversations;
mod events;
mod keeping;
mod object;
mod rig;
mod socket;
mod stores;
mod streams;
#[path = "../serve/wire.rs"]
mod wire;
