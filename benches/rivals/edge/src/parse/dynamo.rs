//! `dynamo-parsers-v2`.

use std::hint::black_box;

use dynamo_parsers_v2::{
    Tool, UnifiedEvent, UnifiedParser, UnifiedParserInit, UnifiedParserOutput,
    create_unified_parser_for_family,
};
use gateway_proto::text::parse::Family;
use serde_json::json;

use super::Reading;

/// Its name for a family that it reads as one stream of reasoning, text and calls. Harmony is left out: its parser
/// downloads a vocabulary first.
pub fn family(family: Family) -> Option<&'static str> {
    Some(match family {
        Family::Qwen3Coder => "qwen3_coder",
        Family::Glm47 => "glm47",
        Family::KimiK2 => "kimi_k2",
        Family::Gemma => "gemma4",
        _ => return None,
    })
}

pub fn parser(family: &str) -> Box<dyn UnifiedParser> {
    let parameters = json!({"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}});
    let tool = Tool {
        name: "write_file".to_owned(),
        description: None,
        parameters,
        strict: None,
    };
    let mut parser = create_unified_parser_for_family(family, &[tool]).expect("a known family");
    parser
        .initialize_request(UnifiedParserInit::default())
        .expect("the usual");
    parser
}

pub fn pass(parser: &mut dyn UnifiedParser, pieces: &[&str]) {
    let mut out = UnifiedParserOutput::default();
    for piece in pieces {
        parser
            .parse_into(black_box(piece), &mut out)
            .expect("it goes on");
        black_box(&out);
        out.events.clear();
    }
    drop(black_box(parser.finish()));
}

/// `None`, and a word why, where it does not take text.
pub fn read(family: &str, pieces: &[&str]) -> Option<Reading> {
    let (mut parser, mut out) = (parser(family), UnifiedParserOutput::default());
    for piece in pieces {
        if let Err(error) = parser.parse_into(piece, &mut out) {
            eprintln!("dynamo-parsers-v2 gives {family} up: {error:#}");
            return None;
        }
    }
    out.append(&mut parser.finish().expect("the end"));
    let mut reading = Reading::default();
    for event in out.assembled() {
        match event {
            UnifiedEvent::Reasoning { text } => reading.reasoning += &text,
            UnifiedEvent::Text { text } => reading.text += &text,
            UnifiedEvent::ToolCall { name, arguments } => {
                reading.calls.push((name, arguments.to_string()))
            }
            UnifiedEvent::MessageStart { .. } | UnifiedEvent::MessageEnd => {}
        }
    }
    Some(reading)
}
