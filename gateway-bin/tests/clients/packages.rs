//! The clients themselves, from the package registries.

use std::{
    env::consts,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of the scripts that run with these packages.
fn folder(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(language)
}

/// Python with the clients for it, in the folder of its scripts.
pub(crate) fn python() -> Command {
    let folder = folder("python");
    let python = testkit::pip_venv("python-clients", &folder.join("requirements.txt"));
    let mut command = Command::new(python);
    command.arg("-B").current_dir(folder);
    command
}

/// Node that runs `script`. It looks for packages beside the script, so that is copied to `work`, where they are.
pub(crate) fn node(script: &str, work: &Path) -> Command {
    let packages = node_packages();
    let sources = std::fs::read_dir(folder("node")).expect("a folder of scripts");
    for source in sources.map(|entry| entry.expect("an entry").path()) {
        if source.extension().is_some_and(|end| end == "mjs") {
            let name = source.file_name().expect("a name");
            std::fs::copy(&source, work.join(name)).expect("copied");
        }
    }
    let linked = work.join("node_modules");
    if !linked.exists() {
        std::os::unix::fs::symlink(packages.join("node_modules"), linked).expect("linked");
    }
    let mut command = Command::new(node_binary(&packages));
    command.arg(script).current_dir(work);
    command
}

/// Claude Code's program.
pub(crate) fn claude_code() -> PathBuf {
    let (system, chip) = platform();
    node_packages().join(format!(
        "node_modules/@anthropic-ai/claude-code-{system}-{chip}/claude"
    ))
}

/// Codex' launcher, which Node runs.
pub(crate) fn codex() -> Command {
    let packages = node_packages();
    let mut command = Command::new(node_binary(&packages));
    command.arg(packages.join("node_modules/@openai/codex/bin/codex.js"));
    command
}

fn node_packages() -> PathBuf {
    let folder = folder("node");
    testkit::npm_project(
        "node-clients",
        &folder.join("package.json"),
        &folder.join("package-lock.json"),
    )
}

fn node_binary(packages: &Path) -> PathBuf {
    let (system, chip) = platform();
    packages.join(format!("node_modules/node-{system}-{chip}/bin/node"))
}

/// This system and chip as npm calls them.
fn platform() -> (&'static str, &'static str) {
    let system = match consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let chip = match consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    (system, chip)
}
