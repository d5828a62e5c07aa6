//! SGLang for the CPU, from the Python registry.

use std::fs;

use anyhow::{Context, Result};

use super::uv::{self, Venv};
use super::{Installed, Store, part};

/// Installs the engine (6.3 GB) unless it is there; it serves the model of `vllm`, whose tools made it.
pub(in super::super) fn ensure(store: &Store, vllm: &Installed) -> Result<Installed> {
    let list = store.list(part::SGLANG);
    let folder = store.part(part::SGLANG, &[], |folder| {
        let venv = uv::venv(store, folder, &list.join("requirements.txt"))?;
        let kernels = venv.packages()?.join("sgl_kernel");
        fs::create_dir_all(&kernels).with_context(|| format!("creating {}", kernels.display()))?;
        fs::copy(list.join("sgl_kernel.py"), kernels.join("__init__.py"))
            .context("the stand-in for SGLang's kernels")?;
        Ok(())
    })?;
    Ok(Installed {
        venv: Venv::at(folder),
        model: vllm.model.clone(),
    })
}
