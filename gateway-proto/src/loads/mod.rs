//! What engines say of their load in JSON, beside their Prometheus pages or in place of them.
//!
//! ```
//! use gateway_proto::loads::LoadReport;
//!
//! let said = br#"[{"dp_rank":0,"num_reqs":5,"num_waiting_reqs":2,"num_tokens":900}]"#;
//! let reading = LoadReport::SglangLoad.read(said);
//! assert_eq!((reading.running, reading.waiting), (Some(3), Some(2)));
//! ```
mod llamacpp;
mod mindie;
mod numbers;
mod report;
mod sglang;
#[cfg(test)]
mod tests;
mod trtllm;

pub use report::{LoadReport, completed};
