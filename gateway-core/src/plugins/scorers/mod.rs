//! Scorers: how good each choice would be.

mod least_requests;

pub use least_requests::LeastRequests;

use super::NoParams;
use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.scorer("least-requests", |NoParams {}| Ok(LeastRequests));
}
