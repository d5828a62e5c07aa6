//! `gateway demo`: a fleet that needs no chip, whose model is served by tokens.

mod model;

use std::{fmt::Write as _, path::Path, sync::Arc, thread};

use anyhow::Context as _;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
    text::Voice,
};
use tokio::{runtime::Builder, sync::oneshot};

use super::{args::DemoArgs, serve};
use crate::{
    Options,
    config::{self, Config, Environment, ServedModel},
    log,
};

/// The model's name.
const MODEL: &str = "demo";
/// Engines: name, the chip profile they act by, the chip the gateway is told of.
const ENGINES: [(&str, &str, &str); 4] = [
    ("h100-a", "8b-h100", "h100"),
    ("h100-b", "8b-h100", "h100"),
    ("l40s-a", "8b-l40s", "l40s"),
    ("l40s-b", "8b-l40s", "l40s"),
];

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let engines = Engines::start()?;
    let mut config = configured(&engines.urls)?;
    config.listen = args.listen;
    let log = log::start(&config.log)?;
    let key = serve::admit(&mut config, args.key.clone())?.or_else(|| args.key.clone());
    serve::start(
        config,
        Options {
            reload: None,
            signals: true,
            lost_lines: log.lost.clone(),
        },
        key.as_deref(),
    )
}

fn configured(urls: &[String]) -> anyhow::Result<Config> {
    let mut text = String::from("endpoints:\n");
    for ((name, _, chip), url) in ENGINES.iter().zip(urls) {
        writeln!(text, "  - {{ name: {name}, url: \"{url}\", kind: vllm, models: [{MODEL}], labels: {{ chip: {chip} }}, hardware: {{ chip: {chip} }} }}")
            .context("writing to memory")?;
    }
    let mut config = config::read(&text, Path::new("demo"), &Environment::empty())?;
    let served = ServedModel {
        tokens: Some(Arc::new(model::served()?)),
        ..ServedModel::default()
    };
    config.models.insert(MODEL.to_owned(), served);
    Ok(config)
}

/// Engines on a thread of their own, until this is dropped.
struct Engines {
    urls: Vec<String>,
    _end: oneshot::Sender<()>,
}

impl Engines {
    fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let running: Vec<RunningEngine> = runtime.block_on(async {
            let mut running = Vec::new();
            for (seed, (name, profile, _)) in (0..).zip(ENGINES) {
                let chip = ChipProfile::named(profile)
                    .with_context(|| format!("no chip profile {profile}"))?;
                let config = SimConfig {
                    seed,
                    ..SimConfig::new(MODEL, chip)
                };
                let voice = Voice::Model(Box::new(model::voice()?));
                running.push(
                    SimEngine::start_with(config, voice)
                        .await
                        .with_context(|| format!("engine {name}"))?,
                );
            }
            anyhow::Ok(running)
        })?;
        let urls = running.iter().map(RunningEngine::url).collect();
        let (end, ended) = oneshot::channel();
        thread::Builder::new()
            .name("engines".to_owned())
            .spawn(move || {
                // Either way the gateway is gone.
                runtime.block_on(async { ended.await.unwrap_or_default() });
                drop(running);
            })?;
        Ok(Self { urls, _end: end })
    }
}
