//! What must hold of any output, for tests and the fuzzer alike.

use std::sync::Arc;

use super::cursor::Class;
use super::{Family, ParserSpec, Piece, ReasoningStyle, Tags, ToolSpec};

/// Parses `output`, cut at these places, and asserts that every byte is accounted for: text and reasoning are the
/// model's own bytes in their order, and whatever else was read is a marker or part of a call.
pub(super) fn parse(spec: &ParserSpec, output: &str, cuts: &[usize]) -> Vec<Piece> {
    let mut parser = spec.traced();
    parser.trace();
    let (mut pieces, mut from) = (Vec::new(), 0);
    for &cut in cuts.iter().chain([&output.len()]) {
        parser.push(&output[from..cut], &mut pieces);
        from = cut;
    }
    parser.finish(&mut pieces);
    let (mut text, mut reasoning, mut at) = (String::new(), String::new(), 0);
    for span in parser.spans() {
        let bytes = &output[at..at + span.bytes];
        match span.class {
            Class::Text => text.push_str(bytes),
            Class::Reasoning => reasoning.push_str(bytes),
            Class::Call | Class::Markup => {}
        }
        at += span.bytes;
    }
    assert_eq!(at, output.len(), "bytes vanished of {output:?}");
    check_order(output, &pieces);
    let pieces = join(pieces);
    let joined = |wanted: fn(&Piece) -> Option<&str>| -> String {
        pieces.iter().filter_map(wanted).collect()
    };
    assert_eq!(joined(text_of), text, "text of {output:?}");
    assert_eq!(joined(reasoning_of), reasoning, "reasoning of {output:?}");
    check_markup(spec, output, &pieces);
    pieces
}

/// Without a call or reasoning there is no construct whose markers could be left out.
fn check_markup(spec: &ParserSpec, output: &str, pieces: &[Piece]) {
    let all_text = spec.family != Family::Harmony
        && spec.reasoning == ReasoningStyle::None
        && pieces.iter().all(|piece| text_of(piece).is_some());
    if all_text {
        let text: String = pieces.iter().filter_map(text_of).collect();
        assert_eq!(text, output, "markers vanished");
    }
}

fn text_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Text(text) => Some(text),
        _ => None,
    }
}

fn reasoning_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Reasoning(text) => Some(text),
        _ => None,
    }
}

/// Pieces are not empty, arguments stand inside calls, calls do not overlap and all end.
fn check_order(output: &str, pieces: &[Piece]) {
    let mut in_call = false;
    for piece in pieces {
        let fine = match piece {
            Piece::Text(text) | Piece::Reasoning(text) => !in_call && !text.is_empty(),
            Piece::CallArguments(text) => in_call && !text.is_empty(),
            Piece::CallStart { name, .. } => {
                !std::mem::replace(&mut in_call, true) && !name.is_empty()
            }
            Piece::CallEnd => std::mem::replace(&mut in_call, false),
        };
        assert!(fine, "{piece:?} in {pieces:?} of {output:?}");
    }
    assert!(!in_call, "a call without an end: {output:?}");
}

/// Joins pieces of one kind that stand next to each other.
fn join(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), &piece) {
            (Some(Piece::Text(text)), Piece::Text(more))
            | (Some(Piece::Reasoning(text)), Piece::Reasoning(more))
            | (Some(Piece::CallArguments(text)), Piece::CallArguments(more)) => text.push_str(more),
            _ => joined.push(piece),
        }
    }
    joined
}

/// The body of the fuzz target. The first byte picks the family, the second how reasoning is told and how often the
/// output is cut; the rest is the output. Whole, character by character and cut, it must give the same.
pub fn fuzz(data: &[u8]) {
    let [family, style, output @ ..] = data else {
        return;
    };
    let tags = if style & 4 == 0 {
        Tags::think()
    } else {
        Tags::brackets()
    };
    let spec = ParserSpec {
        family: Family::ALL[usize::from(*family) % Family::ALL.len()],
        reasoning: match style % 3 {
            0 => ReasoningStyle::None,
            1 => ReasoningStyle::Tagged(tags),
            _ => ReasoningStyle::ForcedOpen(tags),
        },
        tools: if style & 8 == 0 { tools() } else { [].into() },
    };
    let output = String::from_utf8_lossy(output);
    let whole = parse(&spec, &output, &[]);
    let characters: Vec<usize> = output.char_indices().map(|(at, _)| at).skip(1).collect();
    assert_eq!(parse(&spec, &output, &characters), whole, "{spec:?}");
    let every = usize::from(style >> 3) + 2;
    let cuts: Vec<usize> = characters.iter().copied().step_by(every).collect();
    assert_eq!(parse(&spec, &output, &cuts), whole, "{spec:?}");
}

/// A tool whose parameters have types of every kind.
fn tools() -> Arc<[ToolSpec]> {
    let parameters = serde_json::json!({"properties": {
        "p": {"type": ["integer", "string", "null"]},
        "q": {"type": "object"},
        "a": {"type": "boolean"},
        "b": {"type": "string"},
    }});
    let name = "f".to_owned();
    [ToolSpec { name, parameters }].into()
}
