//! The conversations that are rendered.

use std::fs;

use gateway_proto::ir::{Fields, Json, Request, TemplateOptions};
use gateway_proto::openai::chat;
use gateway_proto::text::template::SpecialTokens;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One conversation.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) request: Request,
}

#[derive(Deserialize)]
struct Written {
    name: String,
    messages: Box<RawValue>,
    tools: Option<Box<RawValue>>,
    documents: Option<Box<RawValue>>,
    #[serde(default)]
    kwargs: Fields,
    add_generation_prompt: Option<bool>,
    #[serde(default)]
    continue_final_message: bool,
}

/// The file that `reference.py` reads too.
pub(crate) const CASES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/templates/cases.json");

pub(crate) fn cases() -> Vec<Case> {
    let cases: Vec<Written> = serde_json::from_str(&fs::read_to_string(CASES).unwrap()).unwrap();
    cases.into_iter().map(case).collect()
}

fn case(written: Written) -> Case {
    let tools = written.tools.as_ref().map_or("[]", |tools| tools.get());
    let messages = written.messages.get();
    let body = format!(r#"{{"model": "m", "messages": {messages}, "tools": {tools}}}"#);
    let mut request = chat::decode_request(body.as_bytes())
        .unwrap_or_else(|error| panic!("{}: {error}", written.name));
    request.template = TemplateOptions {
        template: None,
        kwargs: written.kwargs,
        documents: written.documents.map(Json::from),
        add_generation_prompt: written.add_generation_prompt,
        continue_final_message: written.continue_final_message,
    };
    Case {
        name: written.name,
        request,
    }
}

/// The same as in `reference.py`.
pub(crate) fn tokens() -> SpecialTokens {
    let token = |name: &str| Some(format!("<|{name}|>"));
    SpecialTokens {
        bos: token("bos"),
        eos: token("eos"),
        pad: token("pad"),
        unk: token("unk"),
        ..SpecialTokens::default()
    }
}
