//! What an embedder of the decision core takes on.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use super::verdict;
use crate::cmd;

/// Packages that `gateway-core` may resolve to, itself included.
const CORE_PACKAGES: usize = 40;

/// Crates that bring a runtime, sockets or HTTP.
const RUNTIME: [&str; 18] = [
    "async-executor",
    "async-io",
    "async-std",
    "axum",
    "embassy-executor",
    "futures-executor",
    "glommio",
    "h2",
    "http",
    "hyper",
    "hyper-util",
    "mio",
    "monoio",
    "quinn",
    "reqwest",
    "smol",
    "socket2",
    "tokio",
];

/// At most [`CORE_PACKAGES`] packages on any platform, build scripts and macros included.
pub(super) fn package_count(root: &Path) -> Result<String> {
    let packages = tree(root, &["--edges", "normal,build", "--target", "all"])?;
    let figures = format!("{} of at most {CORE_PACKAGES}", packages.len());
    if packages.len() > CORE_PACKAGES {
        bail!("gateway-core resolves to {figures}: {packages:?}");
    }
    Ok(figures)
}

/// None of [`RUNTIME`] in the tree of `gateway-core`.
pub(super) fn no_runtime(root: &Path) -> Result<String> {
    let packages = tree(
        root,
        &[
            "--edges",
            "normal,build",
            "--target",
            "all",
            "--all-features",
        ],
    )?;
    let crossings: Vec<String> = packages
        .iter()
        .filter(|package| {
            RUNTIME
                .iter()
                .any(|name| package.split(' ').next() == Some(*name))
        })
        .map(|package| format!("gateway-core pulls in {package}"))
        .collect();
    verdict(&crossings, String::new())
}

fn tree(root: &Path, arguments: &[&str]) -> Result<BTreeSet<String>> {
    let text = cmd::capture(
        cmd::cargo(root)
            .args([
                "tree",
                "--package",
                "gateway-core",
                "--prefix",
                "none",
                "--no-dedupe",
                "--format",
                "{p}",
            ])
            .args(arguments),
    )?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect())
}
