//! The front door: sockets, connections, routes, and one handler per kind of route.
//!
//! A request goes through `handler` (identity of the request, route, error to HTTP) into `generate` (key, body, facts,
//! routing), from there into `answer` or `responses` where an answer is translated, or into `info` (models, health, metrics).

mod admin;
mod answer;
mod body;
mod connection;
mod envelope;
mod error_reply;
mod explain;
mod generate;
mod handler;
mod hints;
mod info;
mod listener;
mod local;
mod raw;
mod request_id;
mod responses;
mod routes;
mod socket;
mod stall;
mod worker;

pub(crate) use info::metrics_page;
pub use listener::ListenError;
pub(crate) use listener::bind_all;
pub(crate) use request_id::RequestIds;
pub(crate) use responses::Desk;
pub(crate) use worker::{Site, run};
