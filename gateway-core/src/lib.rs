//! The decision: which endpoint serves a request.
mod ids;
mod rng;
mod time;
pub mod load;

pub use ids::{BlockHash, EndpointId};
pub use rng::Rng;
pub use time::Timestamp;
