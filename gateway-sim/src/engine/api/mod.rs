//! The routes that generate: one request becomes one [`Job`](job::Job), whatever its dialect, and one loop streams it.

mod answer;
mod chat;
mod completions;
mod fields;
mod generate;
mod job;
mod plan;
mod reading;
mod sampling;
mod serve;
mod stream;
pub(super) mod tokenize;
mod tools;

pub(super) use serve::{Kind, serve, suffer};
