//! Virtual environments of pinned packages, without resolving.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::part;
use super::store::{Store, remove_dir};
use crate::cmd;

/// The installer of pinned lists: it fetches in parallel and links instead of copying.
const UV: &str = "uv==0.13.8";

/// A virtual environment of Python.
#[derive(Debug, Clone)]
pub(in super::super) struct Venv(PathBuf);

impl Venv {
    /// The one that [`venv`] made in `folder`.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The interpreter that has the packages.
    pub(in super::super) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that a package brought.
    pub(in super::super) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// Where modules lie.
    pub(super) fn packages(&self) -> Result<PathBuf> {
        const ASK: &str = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let folder = cmd::capture(Command::new(self.python()).args(["-c", ASK]))?;
        Ok(folder.trim().into())
    }
}

/// Makes a virtual environment in `folder` of exactly the packages that `requirements` lists.
pub(super) fn venv(store: &Store, folder: &Path, requirements: &Path) -> Result<Venv> {
    let tools = store.part(part::UV, &[UV], |folder| {
        cmd::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let quiet = ["install", "--quiet", "--disable-pip-version-check", UV];
        cmd::run(Command::new(folder.join("bin/pip")).args(quiet))
    })?;
    // Beside the environment, on the same file system, so that files are linked.
    let cache = folder.with_extension("cache");
    let uv = |arguments: &[&str]| {
        let mut command = Command::new(tools.join("bin/uv"));
        command
            .args(arguments)
            .env("UV_CACHE_DIR", &cache)
            .env("UV_PYTHON_DOWNLOADS", "never")
            // pip trusts the machine's certificates; so must its stand-in.
            .env("UV_SYSTEM_CERTS", "true");
        command
    };
    cmd::run(uv(&["venv", "--quiet", "--python", "python3"]).arg(folder))?;
    let venv = Venv::at(folder.to_owned());
    cmd::run(
        uv(&["pip", "install", "--quiet", "--no-deps", "--python"])
            .arg(venv.python())
            .arg("--requirements")
            .arg(requirements),
    )?;
    remove_dir(&cache)?;
    Ok(venv)
}
