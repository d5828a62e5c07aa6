//! Live KV events: what engines say of their caches, over ZeroMQ or when asked over HTTP, into the fleet's knowledge of who
//! holds what.
//!
//! Each publisher (an endpoint's data-parallel rank) has a task of its own that reads, decodes and applies its messages,
//! in slices, so that it never stands in the way of routing. Nothing is queued here: a feed that cannot keep up leaves
//! its messages in the window of its connection and then at the engine, whose own limit (`hwm`) drops them; the gap is
//! then asked for again, and until then the endpoint is trusted less.
//!
//! An engine that keeps its events until it is asked for them (TensorRT-LLM) is asked again and again; what its own bounded
//! buffer drops meanwhile is a gap that nothing fills.
//!
//! Where the publishers are is configured ([`KvEvents::At`]) or asked of the engine ([`KvEvents::Auto`]). Engines publish
//! at an address they bind or connect to one that this router binds ([`FeedSpec::bind`]).
//!
//! # Trust
//!
//! An endpoint is as well known as its worst rank: exact while every rank is connected, complete and in time; degraded
//! while one of them has a gap that could not be filled, broken messages or a lag; without a feed while one is not
//! connected. What to do with that is the residency's matter; routing goes on in each case.

mod address;
mod board;
mod discover;
mod follow;
mod keys;
mod lag;
mod link;
mod listen;
mod poll;
mod rank;
mod replay;
mod settings;
mod source;
mod zmtp;

pub use address::{FeedAddress, FeedAddressError};
pub use board::FeedStatus;
pub(crate) use discover::Listing;
pub(crate) use follow::{EngineRestarted, FedBy, Follower, Following};
pub(crate) use keys::{id_keys, token_keys};
pub(crate) use listen::Listeners;
pub use settings::{FeedSettings, FeedSource, FeedSpec, KvEvents, RANKS_AT_MOST};
