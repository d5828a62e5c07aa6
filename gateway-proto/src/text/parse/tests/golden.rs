//! The tables under `testdata/parse`: what a model wrote, and the pieces.

use serde::Deserialize;
use serde_json::Value;

use super::harness::{every_end, every_split};
use crate::text::parse::{Family, ParserSpec, Piece, ReasoningStyle, Tags, ToolSpec};

/// One table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    family: String,
    /// The tools that all of its cases have.
    #[serde(default)]
    tools: Vec<Tool>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    parameters: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `none` where not said, `tagged`, `forced`, and the same with `-brackets`.
    #[serde(default)]
    reasoning: Option<String>,
    output: String,
    pieces: Vec<Expected>,
}

/// A piece, with a call's pieces in one.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Expected {
    Text(String),
    Reasoning(String),
    Call {
        #[serde(default)]
        id: Option<String>,
        name: String,
        arguments: String,
    },
}

fn style(name: Option<&str>) -> ReasoningStyle {
    match name {
        None => ReasoningStyle::None,
        Some("tagged") => ReasoningStyle::Tagged(Tags::think()),
        Some("forced") => ReasoningStyle::ForcedOpen(Tags::think()),
        Some("tagged-brackets") => ReasoningStyle::Tagged(Tags::brackets()),
        Some("forced-brackets") => ReasoningStyle::ForcedOpen(Tags::brackets()),
        Some("tagged-channel") => ReasoningStyle::Tagged(Tags::channel()),
        Some(other) => panic!("no such reasoning: {other}"),
    }
}

fn told(pieces: Vec<Piece>) -> Vec<Expected> {
    let mut told = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => told.push(Expected::Text(text)),
            Piece::Reasoning(text) => told.push(Expected::Reasoning(text)),
            Piece::CallStart { id, name } => told.push(Expected::Call {
                id,
                name,
                arguments: String::new(),
            }),
            Piece::CallArguments(more) => match told.last_mut() {
                Some(Expected::Call { arguments, .. }) => arguments.push_str(&more),
                _ => panic!("arguments without a call"),
            },
            Piece::CallEnd => {}
        }
    }
    told
}

fn check(text: &str) {
    let table: Table = serde_json::from_str(text).unwrap();
    let family: Family = table.family.parse().unwrap();
    let tools = table.tools.into_iter().map(|tool| ToolSpec {
        name: tool.name,
        parameters: tool.parameters,
    });
    let mut spec = ParserSpec {
        family,
        tools: tools.collect(),
        ..ParserSpec::default()
    };
    assert!(table.cases.len() >= 12, "{family} has too few cases");
    for case in table.cases {
        spec.reasoning = style(case.reasoning.as_deref());
        let pieces = told(every_split(&spec, &case.output));
        assert_eq!(pieces, case.pieces, "{family}: {}", case.name);
        every_end(&spec, &case.output);
    }
}

macro_rules! tables {
    ($($test:ident: $file:literal,)*) => {$(
        #[test]
        fn $test() {
            check(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/parse/", $file)));
        }
    )*};
}

tables! {
    hermes: "hermes.json",
    deepseek_v3: "deepseek-v3.json",
    deepseek_v3_1: "deepseek-v3.1.json",
    json: "json.json",
    kimi_k2: "kimi-k2.json",
    llama3_json: "llama3-json.json",
    mistral: "mistral.json",
    none: "none.json",
    qwen3_coder: "qwen3-coder.json",
    glm_4_5: "glm-4.5.json",
    glm_4_7: "glm-4.7.json",
    minimax_m2: "minimax-m2.json",
    deepseek_v3_2: "deepseek-v3.2.json",
    llama4_pythonic: "llama4-pythonic.json",
    pythonic: "pythonic.json",
    gemma: "gemma.json",
    harmony: "harmony.json",
}
