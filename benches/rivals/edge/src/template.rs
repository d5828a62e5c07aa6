//! Rendering a conversation of 20 KB. Everybody holds the request already read, in its own types.

use std::hint::black_box;

use dynamo_protocols::types::CreateChatCompletionRequest;
use dynamo_renderer::{ChatTemplate, ContextMixins, PromptFormatter};
use gateway_benches::{Conversation, Model};
use gateway_proto::openai::chat;
use gateway_proto::text::template::{LocalTime, SpecialTokens, Template, TemplateSource};
use llm_tokenizer::chat_template::ChatTemplateParams;
use llm_tokenizer::{ChatTemplateState, SpecialTokens as TheirTokens};
use serde_json::Value;

use crate::table::{head, is_equal, nanos, row};

pub fn run() {
    head(&[
        "template, µs",
        "gateway-proto",
        "llm-tokenizer",
        "dynamo-renderer",
    ]);
    let body = Conversation::new(1, 12, 20_000).chat_body(11);
    for model in Model::ALL {
        let files = model.files();
        let config = files.tokenizer_config.expect("every model here has one");
        let source = TemplateSource::from_files(files.chat_template.as_deref(), Some(&config))
            .expect("a template");
        let source = source.for_tools(true).expect("a template");
        let tokens = SpecialTokens::from_config(&config).expect("a sound file");
        let (ours, prompt) = ours(source, &tokens, &body);
        let smg = smg(source, &tokens, &body, &prompt);
        let dynamo = dynamo(source, &config, &body, &prompt);
        row(model.name(), &[Some(ours), smg, dynamo], 1e3);
    }
}

fn ours(source: &str, tokens: &SpecialTokens, body: &[u8]) -> (f64, String) {
    let template = Template::compile(source, tokens.clone()).expect("a sound template");
    let request = chat::decode_request(body).expect("a good body");
    let render = || {
        template
            .render(black_box(&request), LocalTime::from_unix(0, 0))
            .expect("renders")
    };
    (nanos(|| (), |()| drop(black_box(render()))), render())
}

fn smg(source: &str, tokens: &SpecialTokens, body: &[u8], prompt: &str) -> Option<f64> {
    let state = ChatTemplateState::new(Some(source.to_owned())).expect("a sound template");
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let array = |name: &str| body[name].as_array().cloned().unwrap_or_default();
    let mut messages = array("messages");
    messages.iter_mut().for_each(read_arguments);
    let tools = array("tools");
    let tokens = TheirTokens {
        bos_token: tokens.bos.clone(),
        eos_token: tokens.eos.clone(),
        ..TheirTokens::default()
    };
    let render = || {
        let params = ChatTemplateParams {
            add_generation_prompt: true,
            tools: Some(&tools),
            special_tokens: Some(&tokens),
            ..ChatTemplateParams::default()
        };
        state.apply(black_box(&messages), params)
    };
    match render() {
        Ok(theirs) => is_equal("llm-tokenizer", prompt, &theirs),
        Err(error) => {
            eprintln!("llm-tokenizer: {error}");
            return None;
        }
    };
    Some(nanos(|| (), |()| drop(black_box(render()))))
}

/// Its caller, not this crate, turns the text of arguments into objects.
fn read_arguments(message: &mut Value) {
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for call in calls.into_iter().flatten() {
        let arguments = &mut call["function"]["arguments"];
        if let Some(object) = arguments
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
        {
            *arguments = object;
        }
    }
}

fn dynamo(source: &str, config: &[u8], body: &[u8], prompt: &str) -> Option<f64> {
    let mut config: Value = serde_json::from_slice(config).expect("JSON");
    config["chat_template"] = source.into();
    let config: ChatTemplate = serde_json::from_value(config).expect("a sound file");
    let formatter = PromptFormatter::from_parts(config, ContextMixins::default(), false);
    let PromptFormatter::OAI(formatter) = formatter
        .map_err(|error| eprintln!("dynamo-renderer: {error:#}"))
        .ok()?;
    let request: CreateChatCompletionRequest = serde_json::from_slice(body).expect("a good body");
    let render = || formatter.render(black_box(&request));
    match render() {
        Ok(theirs) => is_equal("dynamo-renderer", prompt, &theirs),
        Err(error) => {
            eprintln!("dynamo-renderer: {error:#}");
            return None;
        }
    };
    Some(nanos(|| (), |()| drop(black_box(render()))))
}
