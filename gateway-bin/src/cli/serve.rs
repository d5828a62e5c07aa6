//! `gateway serve`.

use std::{fmt::Write as _, net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use gateway_govern::keys::{KeyEntry, KeyHash, KeyRing, generate};

use super::{args::ServeArgs, banner, check};
use crate::{
    Gateway, Options, ReloadFrom,
    config::{self, Config, Environment},
    log,
};

pub(super) fn run(args: ServeArgs) -> anyhow::Result<()> {
    match args.config {
        Some(file) => from_file(&file, args.listen),
        None => from_engines(&args.engine, args.listen, args.key),
    }
}

fn from_file(file: &Path, listen: Option<SocketAddr>) -> anyhow::Result<()> {
    let (mut config, text) = check::load(file)?;
    config.listen = listen.unwrap_or(config.listen);
    let log = log::start(&config.log)?;
    if config.keys.is_empty() {
        tracing::warn!(
            "no keys are configured, so every request is refused; `gateway hash-key` makes one"
        );
    }
    start(
        config,
        Options {
            reload: Some(ReloadFrom {
                path: file.to_owned(),
                text,
                listen,
            }),
            signals: true,
            lost_lines: log.lost.clone(),
        },
        None,
    )
}

fn from_engines(
    engines: &[String],
    listen: Option<SocketAddr>,
    key: Option<String>,
) -> anyhow::Result<()> {
    let mut config = for_engines(engines)?;
    config.listen = listen.unwrap_or(config.listen);
    let log = log::start(&config.log)?;
    let shown = admit(&mut config, key)?;
    start(
        config,
        Options {
            reload: None,
            signals: true,
            lost_lines: log.lost.clone(),
        },
        shown.as_deref(),
    )
}

/// Starts, says so, and serves until the end.
pub(super) fn start(config: Config, options: Options, key: Option<&str>) -> anyhow::Result<()> {
    let running = Gateway::start(config, options)?;
    banner::print(&running, key);
    running.wait();
    Ok(())
}

/// A configuration with these engines and nothing else, read as a file would be.
pub(super) fn for_engines(engines: &[String]) -> anyhow::Result<Config> {
    let mut text = String::from("endpoints:\n");
    for (at, url) in engines.iter().enumerate() {
        let url = serde_json::to_string(&url.replace('$', "$$")).context("an engine's address")?;
        writeln!(text, "  - {{ name: engine-{}, url: {url} }}", at + 1)
            .context("writing to memory")?;
    }
    Ok(config::read(
        &text,
        Path::new("--engine"),
        &Environment::empty(),
    )?)
}

/// Puts one key on the ring, with all permissions. A key that had to be made is given back to be shown.
pub(super) fn admit(config: &mut Config, key: Option<String>) -> anyhow::Result<Option<String>> {
    let (key, made) = match key {
        Some(key) => (key, false),
        None => (generate().context("making a key")?, true),
    };
    let entry = KeyEntry {
        explain: true,
        ..KeyEntry::new("command-line", KeyHash::of(&key))
    };
    config.keys = Arc::new(KeyRing::new([entry])?);
    Ok(made.then_some(key))
}
