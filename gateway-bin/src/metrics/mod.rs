//! What can be watched from outside, as Prometheus text.
//!
//! Counting happens on the request's own path, so it is a few relaxed additions to atomics found by one lookup of the
//! model's name; everything about endpoints is read from the fleet when somebody asks. Labels are bounded: models and
//! endpoints that the configuration (or an engine) does not name are counted as `other`. All families are listed in
//! `docs/metrics.md`.

mod access;
mod admission;
mod discovery;
mod door;
mod edge;
mod endpoints;
mod feeds;
mod forecasts;
mod hedges;
mod histogram;
mod migrations;
mod model;
mod page;
mod pairs;
mod process;
mod responses;
mod results;
mod sink;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use admission::admission_page;
pub(crate) use discovery::discovery_page;
pub(crate) use door::Rejection;
pub(crate) use page::{edge_page, page, responses_page};
pub(crate) use results::results_page;
pub(crate) use sink::Metrics;
