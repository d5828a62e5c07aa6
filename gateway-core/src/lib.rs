//! The decision: which endpoint serves a request.
//!
//! Plain data in, a choice and its explanation out; no sockets, no async runtime, no clock ([`Timestamp`] is an argument),
//! no randomness of its own ([`Rng`] is handed in).
//!
//! ```
//! use gateway_core::{EndpointSpec, Fleet, Pipeline, Rng, RouteCx, Timestamp};
//!
//! let fleet = Fleet::new([
//!     EndpointSpec::new("h100-a").model("llama").context_tokens(131_072),
//!     EndpointSpec::new("l40s-b").model("llama").context_tokens(32_768),
//! ])?;
//! let pipeline = Pipeline::default();
//! let mut rng = Rng::from_seed(1);
//!
//! let request = RouteCx::new("llama", Timestamp::ZERO).prompt(50_000, &[], 0).output(500);
//! let placement = pipeline.place(&fleet, &request, &mut rng)?;
//! assert_eq!(placement.endpoint().name(), "h100-a"); // the other one's context is too short
//! assert_eq!(placement.endpoint().state().in_flight().requests, 1); // booked with the choice
//! drop(placement); // and released by the guard
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A policy is made of four small traits ([`plugin`]): [`Filter`], [`Scorer`], [`Picker`], [`Observer`]. Built-in ones are in
//! [`plugins`]; yours are equal citizens, in code ([`Pipeline::builder`]) and in configuration ([`Registry`]).

pub mod admission;
pub mod decider;
mod endpoint;
mod fleet;
pub mod hash;
pub mod health;
mod id_map;
mod ids;
mod kv;
pub mod kvfeed;
pub mod latency;
pub mod load;
pub mod pipeline;
pub mod plugin;
pub mod plugins;
pub mod prefix;
mod request;
pub mod residency;
mod rng;
mod time;

pub use endpoint::{Endpoint, EndpointSpec, Role};
pub use fleet::{Fleet, FleetConfig, FleetError};
pub use id_map::{IdHasher, IdMap};
pub use ids::{BlockHash, EndpointId};
pub use kv::{KvDescriptor, KvMismatch};
pub use pipeline::{
    Explanation, NoEndpoint, Pipeline, PipelineSpec, Pipelines, Placement, PluginSpec, Registry,
};
pub use plugin::{Candidate, Filter, Observer, Picker, RouteEvent, Scorer};
pub use request::{Objectives, RouteCx, Stage};
pub use rng::Rng;
pub use time::{Timestamp, span_of_millis};
