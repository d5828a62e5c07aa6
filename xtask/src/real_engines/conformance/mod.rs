//! One engine of another kind behind the gateway: everything that an engine's client must get right.

mod abort;
mod across;
mod bench;
mod errors;
mod ids;
mod llama_cpp;
mod sglang;
mod state;
mod subject;
mod usage;

pub(super) use llama_cpp::run as llama_cpp;
pub(super) use sglang::run as sglang;
