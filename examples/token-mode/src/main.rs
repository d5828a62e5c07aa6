//! Reads a model's files, asks an engine by token ids alone, and prints reasoning, text and tool calls as they come.
//!
//! The engine is a simulated one that speaks the same model by a script; to use your own, put its address into
//! `Target::parse` and the folder of its model behind the command.
//!
//! `cargo run -p token-mode [FOLDER]`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::{error::Error, fs, path::Path, sync::Arc};

use futures_util::StreamExt as _;
use gateway_proto::{
    ir::{Event, Step},
    openai::{Api, chat},
    text::{
        model::{ModelFiles, ModelOptions, TextModel},
        template::LocalTime,
    },
};
use gateway_router::{
    EndpointSettings, EndpointSpec, EngineKind, Hints, Router, RouterSettings, Target, edge::Ask,
};
use gateway_sim::{
    engine::{SimConfig, SimEngine},
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};

/// A model's files without the weights.
const SMALL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../gateway-proto/testdata/models/small"
);
/// What the engine says to everything.
const SCRIPT: &[u8] = br#"{"rules": [{"when": ".", "reply":
    "<think>\nA tool knows.\n</think>\n\nI will look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>"}]}"#;

const BODY: &[u8] =
    br#"{"model": "small", "messages": [{"role": "user", "content": "Is it raining?"}],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| SMALL.to_owned());
    let files = read(Path::new(&folder))?;
    let model = Arc::new(TextModel::load(&files, &ModelOptions::default())?);

    let voice = ModelVoice::new(&files, Script::parse(SCRIPT)?)?;
    let config = SimConfig::new("small", ChipProfile::named("8b-h100").ok_or("no chip")?);
    let engine = SimEngine::start_with(config, Voice::Model(Box::new(voice))).await?;
    let router = router_to(&engine.url())?;

    let ask = Ask {
        request: Arc::new(chat::decode_request(BODY)?),
        model: Some(model),
        api: Api::ChatCompletions,
        request_id: "example-1".into(),
        headers: Default::default(),
        hints: Hints::default(),
        now: LocalTime::from_unix(1_780_000_000, 0),
        unix_seconds: 1_780_000_000,
    };
    let mut events = router.answer(ask).await?.events;
    while let Some(event) = events.next().await {
        show(&event)?;
    }
    Ok(())
}

/// The files of a model in the Hugging Face layout; only the tokenizer must be there.
fn read(folder: &Path) -> Result<ModelFiles, Box<dyn Error>> {
    let optional = |name: &str| fs::read(folder.join(name)).ok();
    Ok(ModelFiles {
        tokenizer: fs::read(folder.join("tokenizer.json"))?,
        tokenizer_config: optional("tokenizer_config.json"),
        chat_template: optional("chat_template.jinja")
            .map(String::from_utf8)
            .transpose()?,
        generation_config: optional("generation_config.json"),
        config: optional("config.json"),
    })
}

fn router_to(url: &str) -> Result<Router, Box<dyn Error>> {
    let endpoint = EndpointSettings {
        spec: EndpointSpec::new("first").model("small"),
        target: Target::parse(url)?,
        kind: EngineKind::Vllm,
        credential: None,
        kv_events: Default::default(),
        transfer: None,
    };
    let mut settings = RouterSettings::default();
    settings.endpoints.push(endpoint);
    Ok(Router::builder().settings(settings).build()?)
}

fn show(event: &Event) -> Result<(), Box<dyn Error>> {
    match event {
        Event::Step { step, .. } => match step {
            Step::Reasoning(text) => println!("thinks   {text:?}"),
            Step::Text(text) => println!("says     {text:?}"),
            Step::CallStart { id, name } => println!("calls    {name} as {id}"),
            Step::CallArguments(json) => println!("with     {json}"),
            other => println!("         {other:?}"),
        },
        Event::Usage(usage) => println!("cost     {usage:?}"),
        Event::Failed(error) => return Err(error.message.clone().into()),
    }
    Ok(())
}
