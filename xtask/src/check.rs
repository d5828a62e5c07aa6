//! `check`: what must be clean before a commit.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::tally::Tally;
use crate::{cmd, guards};

/// Format, lints, documentation, guards. All of them run, whatever fails.
pub fn run(root: &Path, tally: &mut Tally) {
    tally.record(
        "format",
        quietly(cmd::cargo(root).args(["fmt", "--all", "--check"])),
    );
    tally.record(
        "lints",
        quietly(cmd::cargo(root).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])),
    );
    tally.record(
        "documentation",
        quietly(
            cmd::cargo(root)
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        ),
    );
    guards::run(root, tally);
}

/// The fuzz targets lie outside the workspace, so nothing else notices when they no longer build.
pub fn fuzz_targets(root: &Path, tally: &mut Tally) {
    let built = cmd::target_dir(root).and_then(|target| {
        quietly(
            cmd::cargo(root)
                .args([
                    "check",
                    "--manifest-path",
                    "fuzz/Cargo.toml",
                    "--target-dir",
                ])
                .arg(target.join("fuzz")),
        )
    });
    tally.record("fuzz targets", built);
}

fn quietly(command: &mut Command) -> Result<String> {
    cmd::run(command).map(|()| String::new())
}
