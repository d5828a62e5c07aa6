//! Packages of the Python registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache::{cache_root, digest, folder, key};
use crate::have;
use crate::run::run;

const QUIET: [&str; 2] = ["--quiet", "--disable-pip-version-check"];

/// The interpreter of a virtual environment with exactly what `requirements` lists. Every line must carry hashes
/// (`name==1.2.3 --hash=sha256:...`), dependencies included; a change of the file gives another environment.
///
/// # Panics
/// If the file cannot be read, a package cannot be had or a hash differs.
#[must_use]
pub fn pip_venv(name: &str, requirements: &Path) -> PathBuf {
    have(name, venv(name, requirements)).join("bin/python")
}

fn venv(name: &str, requirements: &Path) -> Result<PathBuf> {
    let version = digest(&[requirements])?;
    folder(&cache_root(), &key(name, &version), |path| {
        run(Command::new("python3").args(["-m", "venv"]).arg(path))?;
        run(Command::new(path.join("bin/python"))
            .args(["-m", "pip", "install", "--require-hashes"])
            .args(QUIET)
            .arg("-r")
            .arg(requirements))
    })
}

/// The unpacked contents of one wheel or source archive, whichever has the hash `sha256`.
///
/// # Panics
/// If the archive cannot be had.
#[must_use]
pub fn pip_download(name: &str, version: &str, sha256: &str) -> PathBuf {
    let pin = format!("{name}=={version} --hash=sha256:{sha256}");
    let found = folder(&cache_root(), &key(name, version), |path| {
        download(&pin, path)
    });
    have(&pin, found).join("contents")
}

fn download(pin: &str, path: &Path) -> Result<()> {
    let requirements = path.join("requirements.txt");
    fs::write(&requirements, pin)?;
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--no-deps", "--require-hashes"])
        .args(QUIET)
        .arg("-d")
        .arg(path.join("archive"))
        .arg("-r")
        .arg(&requirements))?;
    let archive = fs::read_dir(path.join("archive"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .next()
        .with_context(|| format!("pip download left no archive of {pin}"))?;
    let contents = path.join("contents");
    fs::create_dir(&contents)?;
    let end = archive.extension().and_then(|end| end.to_str());
    let unpacker = match end {
        Some("whl" | "zip") => "zipfile",
        Some("gz") => "tarfile",
        _ => bail!("{} is of no known kind", archive.display()),
    };
    run(Command::new("python3")
        .args(["-m", unpacker, "-e"])
        .arg(&archive)
        .arg(&contents))?;
    Ok(fs::remove_dir_all(path.join("archive"))?)
}
