//! Engines from package registries, each installed once into a folder of its own.

mod llama_cpp;
mod model;
mod sglang;
mod store;
mod uv;
mod vllm;

pub(super) use llama_cpp::LlamaCpp;
pub(super) use store::Store;
pub(super) use uv::Venv;
pub(super) use {llama_cpp::ensure as llama_cpp, sglang::ensure as sglang, vllm::ensure as vllm};

/// A Python engine and the model that it is to serve.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) venv: Venv,
    /// The model's folder in the Hugging Face layout.
    pub(super) model: std::path::PathBuf,
}

/// Names of parts, of their folders in the store and of their lists in the checkout.
pub(super) mod part {
    pub(in super::super) const SGLANG: &str = "sglang";
    pub(in super::super) const LLAMA_CPP: &str = "llama-cpp";
    pub(super) const VLLM: &str = "vllm";
    pub(super) const UV: &str = "uv";
}
