//! Answers in the neutral form: a simulated engine that speaks a small model's tokens, and all that stands before it.

mod calls;
mod constraints;
mod conversations;
mod refusals;
mod text;

use std::{future::poll_fn, path::Path, pin::Pin, sync::Arc};

use futures_util::Stream as _;
use gateway_router::{
    Hints, RouteError,
    edge::{AnswerReply, Ask},
    proto::{
        error::ApiError,
        ir::{Answer, AnswerChoice, Event, Request},
        openai::{Api, chat, completions},
        text::{
            model::{ModelFiles, ModelOptions, TextModel},
            template::LocalTime,
        },
    },
};
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
    text::{ModelVoice, Script, Voice},
};
use serde_json::{Value, json};

use crate::common::{rig::Rig, within};

/// What opens the small model's turn.
const OPENING: &str = "<|im_start|>assistant\n";

/// An engine that says what a script tells it to, a router before it, and the model at the edge.
struct Edge {
    rig: Rig,
    engine: RunningEngine,
    model: Arc<TextModel>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway-proto/testdata/models/small")
}

pub(crate) fn model(options: &ModelOptions) -> TextModel {
    let read = |name: &str| std::fs::read(folder().join(name)).expect("a file of the model");
    let files = ModelFiles {
        tokenizer: read("tokenizer.json"),
        tokenizer_config: Some(read("tokenizer_config.json")),
        chat_template: Some(String::from_utf8(read("chat_template.jinja")).expect("text")),
        generation_config: Some(read("generation_config.json")),
        config: Some(read("config.json")),
    };
    TextModel::load(&files, options).expect("a good model")
}

impl Edge {
    /// `rules` are pairs of what a prompt holds and what is said then.
    async fn start(rules: &[(&str, &str)]) -> Self {
        let rules: Vec<Value> = rules
            .iter()
            .map(|(when, reply)| json!({"when": when, "reply": reply}))
            .collect();
        let script = json!({"opening": OPENING, "rules": rules}).to_string();
        let script = Script::parse(script.as_bytes()).expect("a script");
        let voice = ModelVoice::load(&folder(), script).expect("a good model");
        let chip = ChipProfile::named("8b-h100").expect("a built-in profile");
        let mut config = SimConfig::new("m", chip);
        config.time_scale = 100.0;
        let engine = SimEngine::start_with(config, Voice::Model(Box::new(voice)))
            .await
            .expect("a free port");
        Self {
            rig: Rig::new(&[engine.addr()]),
            engine,
            model: Arc::new(model(&ModelOptions::default())),
        }
    }

    async fn ask(&self, request: Request) -> Result<AnswerReply, RouteError> {
        self.ask_by(request, Some(Arc::clone(&self.model))).await
    }

    async fn ask_by(
        &self,
        request: Request,
        model: Option<Arc<TextModel>>,
    ) -> Result<AnswerReply, RouteError> {
        within(self.rig.router.answer(ask(request, model))).await
    }

    /// The whole answer to a chat body.
    async fn chat(&self, body: Value) -> Answer {
        let reply = self.ask(chat_request(body)).await.expect("an answer");
        gathered(reply).await.expect("it does not break")
    }

    /// The only choice of the answer.
    async fn say(&self, body: Value) -> AnswerChoice {
        self.chat(body).await.choices.swap_remove(0)
    }
}

pub(crate) fn ask(request: Request, model: Option<Arc<TextModel>>) -> Ask {
    Ask {
        request: Arc::new(request),
        model,
        api: Api::ChatCompletions,
        request_id: "r-1".into(),
        headers: http::HeaderMap::new(),
        hints: Hints::default(),
        now: LocalTime::from_unix(1_800_000_000, 0),
        unix_seconds: 1_800_000_000,
    }
}

pub(crate) fn chat_request(mut body: Value) -> Request {
    body["model"] = "m".into();
    chat::decode_request(body.to_string().as_bytes()).expect("a good body")
}

fn completion_request(mut body: Value) -> Request {
    body["model"] = "m".into();
    completions::decode_request(body.to_string().as_bytes()).expect("a good body")
}

pub(crate) async fn gathered(mut reply: AnswerReply) -> Result<Answer, Box<ApiError>> {
    let mut answer = Answer::new(reply.head.clone());
    while let Some(event) = next(&mut reply).await {
        answer.push(event)?;
    }
    Ok(answer)
}

pub(crate) async fn next(reply: &mut AnswerReply) -> Option<Event> {
    within(poll_fn(|cx| Pin::new(&mut reply.events).poll_next(cx))).await
}

/// A chat of one question.
pub(crate) fn question(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}]})
}

/// The same with a tool `look_up(city)`.
fn with_tool(text: &str) -> Value {
    let mut body = question(text);
    body["tools"] = json!([{"type": "function", "function": {"name": "look_up", "description": "Looks up",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
            "additionalProperties": false}}}]);
    body
}
