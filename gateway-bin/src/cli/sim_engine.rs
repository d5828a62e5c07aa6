//! `gateway sim-engine`.

use std::{fs, net::SocketAddr};

use anyhow::Context as _;
use clap::{Args as ClapArgs, ValueEnum};
use gateway_sim::{
    engine::{
        Connector, EventForm, Flavour, HashForm, KvEventsConfig, SimConfig, SimEngine,
        TransferConfig, TransferRole,
    },
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};
use tokio::{runtime::Builder, signal};

use super::{
    args::{KvHashes, SimArgs, SimFlavour},
    out,
};

/// The profile used where none is named.
pub(super) const DEFAULT_PROFILE: &str = "8b-h100";

/// How a simulated engine takes part in prefill-decode pairs.
#[derive(ClapArgs)]
pub(super) struct PairArgs {
    /// Where other engines reach its side channel or bootstrap server; without it, it takes no notice of pairs
    #[arg(long, value_name = "ADDR")]
    pair_listen: Option<SocketAddr>,
    /// The part it plays, where its surface does not leave that to each request
    #[arg(
        long,
        value_name = "ROLE",
        default_value = "any",
        requires = "pair_listen"
    )]
    pair_role: PairRole,
    /// How vLLM hands KV over
    #[arg(long, default_value = "nixl", requires = "pair_listen")]
    connector: PairConnector,
    /// For how long it holds blocks that nobody fetches, in milliseconds of its own time
    #[arg(long, value_name = "MS", requires = "pair_listen")]
    lease_ms: Option<u64>,
    /// For how long a leg waits for its partner, in milliseconds of its own time
    #[arg(long, value_name = "MS", requires = "pair_listen")]
    pair_wait_ms: Option<u64>,
    /// Compute a prompt whose KV did not come, rather than fail the request
    #[arg(long, requires = "pair_listen")]
    recompute: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PairRole {
    Any,
    Prefill,
    Decode,
}

#[derive(Clone, Copy, ValueEnum)]
enum PairConnector {
    Nixl,
    Mooncake,
}

impl PairArgs {
    /// What the engine is told; none for one that takes no part.
    fn config(&self) -> Option<TransferConfig> {
        let mut config = TransferConfig {
            listen: self.pair_listen?,
            role: match self.pair_role {
                PairRole::Any => TransferRole::Any,
                PairRole::Prefill => TransferRole::Prefill,
                PairRole::Decode => TransferRole::Decode,
            },
            connector: match self.connector {
                PairConnector::Nixl => Connector::Nixl,
                PairConnector::Mooncake => Connector::Mooncake,
            },
            recomputes: self.recompute,
            ..TransferConfig::default()
        };
        config.lease_ms = self.lease_ms.unwrap_or(config.lease_ms);
        config.wait_ms = self.pair_wait_ms.unwrap_or(config.wait_ms);
        Some(config)
    }
}

pub(super) fn run(args: &SimArgs) -> anyhow::Result<()> {
    let chip = ChipProfile::named(&args.profile).with_context(|| {
        let known: Vec<_> = ChipProfile::names().collect();
        format!(
            "unknown profile `{}`; known: {}",
            args.profile,
            known.join(", ")
        )
    })?;
    let mut config = SimConfig::new(args.model.clone(), chip);
    config.listen = args.listen;
    config.time_scale = args.speed;
    config.api_key.clone_from(&args.api_key);
    config.seed = args.seed;
    config.flavour = match args.flavour {
        SimFlavour::Vllm => Flavour::Vllm,
        SimFlavour::Sglang => Flavour::Sglang,
        SimFlavour::Mindie => Flavour::Mindie,
        SimFlavour::Trtllm => Flavour::Trtllm,
        SimFlavour::Llamacpp => Flavour::Llamacpp,
        SimFlavour::Tgi => Flavour::Tgi,
    };
    config.incremental_streams = args.incremental_streams;
    config.transfer = args.pair.config();
    config.dp_ranks = args.dp_ranks;
    config.adapters.clone_from(&args.adapters);
    config.kv_events = kv_events(args, &config.models[0]);
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(config, voice(args)?))
}

/// Whose words it speaks.
fn voice(args: &SimArgs) -> anyhow::Result<Voice> {
    let Some(folder) = &args.model_dir else {
        return Ok(Voice::Plain);
    };
    let script = match &args.script {
        None => Script::default(),
        Some(file) => {
            let json = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            Script::parse(&json).with_context(|| file.display().to_string())?
        }
    };
    let model = ModelVoice::load(folder, script)
        .with_context(|| format!("cannot speak as the model in {}", folder.display()))?;
    Ok(Voice::Model(Box::new(model)))
}

/// Where and how it publishes KV events, if it is to.
fn kv_events(args: &SimArgs, model: &str) -> Option<KvEventsConfig> {
    let mut events = KvEventsConfig::new(model);
    match (args.kv_connect, args.kv_events) {
        (Some(subscriber), _) => (events.publish, events.connect) = (subscriber, true),
        (None, Some(port)) => events.publish.set_port(port),
        (None, None) => return None,
    }
    if let Some(topic) = &args.kv_topic {
        events.topic.clone_from(topic);
    }
    if let (Some(port), Some(replay)) = (args.kv_replay, &mut events.replay) {
        replay.set_port(port);
    }
    events.hashes = match args.kv_hashes {
        KvHashes::Unsigned => HashForm::Unsigned,
        KvHashes::Signed => HashForm::Signed,
        KvHashes::Raw => HashForm::Raw,
    };
    if args.kv_arrays {
        events.form = EventForm::Array;
    }
    Some(events)
}

async fn serve(config: SimConfig, voice: Voice) -> anyhow::Result<()> {
    let keeps_events = config.flavour == Flavour::Trtllm && config.kv_events.is_some();
    let engine = SimEngine::start_with(config, voice).await?;
    out::line(format_args!("simulated engine listens on {}", engine.url()));
    if let Some(addr) = engine.transfer_addr() {
        out::line(format_args!("partners of pairs reach it on {addr}"));
    }
    if let Some(events) = engine.kv_events() {
        let replay = events
            .replay
            .map(|address| format!(", replay on tcp://{address}"))
            .unwrap_or_default();
        out::line(format_args!(
            "KV events on tcp://{}{replay}",
            events.publish
        ));
    }
    if keeps_events {
        out::line(format_args!("KV events at POST /kv_cache_events"));
    }
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        pressed = signal::ctrl_c() => pressed?,
    }
    Ok(())
}
