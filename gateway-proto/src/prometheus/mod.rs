//! An engine's metrics page, in Prometheus' text form, turned into telemetry.
//!
//! One pass over the lines, nothing kept but a few numbers per data-parallel rank. Names are those of vLLM (V0 and V1),
//! SGLang, TGI, MindIE, TensorRT-LLM and llama.cpp.
//!
//! ```
//! use gateway_proto::prometheus::{Scrape, Dialect};
//!
//! let page = b"vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} 4\n";
//! let scrape = Scrape::parse(page, None);
//! assert_eq!(scrape.dialect, Some(Dialect::Vllm));
//! assert_eq!(scrape.telemetry.running, Some(7));
//! ```
mod adapters;
mod dialect;
mod fold;
mod line;
mod scrape;
#[cfg(test)]
mod tests;

pub use dialect::Dialect;
pub use scrape::Scrape;
