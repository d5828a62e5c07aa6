//! The routes that generate: one request becomes one [`Job`](job::Job), whatever its dialect, and one loop streams it.

mod answer;
mod chat;
mod completions;
mod fields;
mod form;
mod generate;
mod handed;
mod invent;
mod job;
mod late;
mod llamacpp;
mod logprobs;
mod parameters;
mod plan;
pub(super) mod pooling;
mod reading;
mod sampling;
mod serve;
mod sglang;
mod stream;
mod tgi;
pub(super) mod tokenize;
mod tools;

pub(super) use fields::Fields;
pub(super) use handed::{Handed, decode};
pub(super) use job::Job;
pub(super) use serve::{Kind, serve, suffer};
pub(super) use tgi::Style;
