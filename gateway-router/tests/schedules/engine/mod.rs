//! Engines in memory that write, count what they hold, and fail as they are told.

mod adopted;
mod chat;
mod client;
mod condition;
mod errors;
mod pair;
mod part;
mod state;
mod tokens;
mod writer;

pub(crate) use chat::words;
pub(crate) use client::Client;
pub(crate) use condition::{Mode, PACE, Says, Strike};
pub(crate) use pair::Handovers;
pub(crate) use state::{Ambush, Engine, Entry, Journal, Room, What};
