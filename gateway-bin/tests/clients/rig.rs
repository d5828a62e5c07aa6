//! A gateway in front of simulated engines that speak a small model's tokens.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use gateway_govern::keys::KeyHash;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::gateway::Gateway;

/// The key that may do everything.
pub(crate) const KEY: &str = "client-tests";
/// The model of [`Rig::scripted`].
pub(crate) const MODEL: &str = "scripted";
/// Prompt and answer together: agents ask for tens of thousands of tokens.
const CONTEXT_TOKENS: u32 = 131_072;

/// An API, a status and how many requests of that API were answered with it.
pub(crate) type Answered = (&'static str, u16, u64);

/// What a gateway is started in front of.
pub(crate) struct Engines {
    /// The model and how many engines serve it.
    pub(crate) models: &'static [(&'static str, usize)],
    /// Seconds of the model in a second of wall time.
    pub(crate) speed: f64,
    /// By tokens, with the small model's files, saying what this script tells; by text where none.
    pub(crate) script: Option<Script>,
    /// Further keys, as YAML list items.
    pub(crate) keys: String,
}

/// Fields are dropped in order: the gateway before its engines.
pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) engines: Vec<RunningEngine>,
    /// A folder for whatever the client keeps.
    pub(crate) folder: TempDir,
    _runtime: Runtime,
}

impl Rig {
    /// One engine that obeys `rules.json`.
    pub(crate) fn scripted() -> Self {
        Self::start(&Engines {
            models: &[(MODEL, 1)],
            speed: 50.0,
            script: Some(rules()),
            keys: String::new(),
        })
    }

    pub(crate) fn start(plan: &Engines) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let (mut engines, mut models, mut endpoints) = (Vec::new(), String::new(), String::new());
        for (model, count) in plan.models {
            writeln!(models, "  - {}", model_yaml(model, plan.script.is_some())).expect("text");
            for _ in 0..*count {
                let engine = runtime.block_on(engine(model, plan));
                let (name, url) = (engines.len(), engine.url());
                writeln!(
                    endpoints,
                    "  - {{ name: e{name}, url: \"{url}\", kind: vllm, models: [{model}] }}"
                )
                .expect("text");
                engines.push(engine);
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (key, keys) = (KeyHash::of(KEY), &plan.keys);
        let settings = format!(
            "keys:\n  - {{ name: all, hash: \"{key}\" }}\n{keys}models:\n{models}endpoints:\n{endpoints}"
        );
        Self {
            gateway: Gateway::start(folder.path(), &settings),
            engines,
            folder,
            _runtime: runtime,
        }
    }

    /// Panics unless exactly these requests arrived and were answered with these statuses, and the engine was asked to
    /// generate so often.
    pub(crate) fn expect(&self, requests: &[Answered], generations: u64) {
        let expected: BTreeMap<_, _> = requests
            .iter()
            .map(|(api, status, count)| (((*api).to_owned(), *status), *count))
            .collect();
        assert_eq!(self.gateway.answered(), expected, "requests at the gateway");
        let refused = requests.iter().filter(|(_, status, _)| *status != 200);
        let refused: u64 = refused.map(|(_, _, count)| count).sum();
        let total = |family| self.gateway.total(family);
        assert_eq!(total("gateway_rejected_total"), refused, "refused");
        assert_eq!(total("gateway_retries_total"), 0, "retried");
        let asked = self.engines[0].stats().requests;
        assert_eq!(asked, generations, "requests at the engine");
    }

    /// The prompt that the engine got last, as text; it was sent as token ids.
    pub(crate) fn last_prompt(&self) -> String {
        let body = self.engines[0].last_request().body;
        let body: serde_json::Value = serde_json::from_slice(&body).expect("a JSON body");
        let field = ["token_ids", "prompt_token_ids", "prompt"]
            .into_iter()
            .find_map(|name| body.get(name)?.as_array())
            .expect("token ids");
        let ids: Vec<u32> = field
            .iter()
            .map(|id| u32::try_from(id.as_u64().expect("an id")).expect("an id"))
            .collect();
        speaking(rules()).decode(&ids)
    }
}

fn model_yaml(model: &str, by_tokens: bool) -> String {
    if !by_tokens {
        return format!("{{ name: {model} }}");
    }
    let files = model_files().display().to_string();
    format!(
        "{{ name: {model}, tokens: {{ files: \"{files}\", context_tokens: {CONTEXT_TOKENS} }} }}"
    )
}

async fn engine(model: &str, plan: &Engines) -> RunningEngine {
    let chip = ChipProfile::named("8b-h100").expect("a built-in profile");
    let mut config = SimConfig::new(model, chip);
    config.time_scale = plan.speed;
    let mut voice = Voice::Plain;
    if let Some(script) = plan.script.clone() {
        config.engine.max_model_tokens = CONTEXT_TOKENS;
        voice = speaking(script);
    }
    SimEngine::start_with(config, voice)
        .await
        .expect("an engine on a free port")
}

fn rules() -> Script {
    Script::parse(include_bytes!("rules.json")).expect("rules")
}

fn speaking(script: Script) -> Voice {
    let model = ModelVoice::load(model_files(), script).expect("the model's files");
    Voice::Model(Box::new(model))
}

fn model_files() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../gateway-proto/testdata/models/small"
    ))
}
