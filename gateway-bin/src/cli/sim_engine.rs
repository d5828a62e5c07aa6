//! `gateway sim-engine`.

use std::fs;

use anyhow::Context as _;
use gateway_sim::{
    engine::{EventForm, Flavour, HashForm, KvEventsConfig, SimConfig, SimEngine},
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
    };
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
    let engine = SimEngine::start_with(config, voice).await?;
    out::line(format_args!("simulated engine listens on {}", engine.url()));
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
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        pressed = signal::ctrl_c() => pressed?,
    }
    Ok(())
}
