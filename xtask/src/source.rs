//! The project's own files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that hold what was built or fetched, not what was written.
const NOT_OURS: [&str; 6] = [
    "target",
    ".git",
    "__pycache__",
    "artifacts",
    "node_modules",
    ".venv",
];

/// Every file under `dir`, sorted, without build output.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(dir, &mut found)?;
    found.sort();
    Ok(found)
}

/// Every Rust file under `dir`, sorted.
///
/// # Errors
/// As for [`files`].
pub fn rust_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = files(dir)?;
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(found)
}

/// The file's text, or `None` where it is not UTF-8.
///
/// # Errors
/// When the file cannot be read.
pub fn text(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(String::from_utf8(bytes).ok())
}

/// `path` as a reader of the repository names it.
#[must_use]
pub fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", dir.display()))?;
        let kind = entry.file_type().context("file type")?;
        if kind.is_dir() {
            if !NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                collect(&entry.path(), found)?;
            }
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}
