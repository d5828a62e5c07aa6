//! Runs a parser over an output in every way that must not matter.

use crate::text::parse::cursor::Class;
use crate::text::parse::{ParserSpec, Piece};

/// Parses `output`, cut at these places, and checks that every byte is accounted for.
pub(super) fn parse(spec: &ParserSpec, output: &str, cuts: &[usize]) -> Vec<Piece> {
    let mut parser = spec.traced();
    parser.trace();
    let (mut pieces, mut from) = (Vec::new(), 0);
    for &cut in cuts.iter().chain([&output.len()]) {
        parser.push(&output[from..cut], &mut pieces);
        from = cut;
    }
    parser.finish(&mut pieces);
    check_order(output, &pieces);
    let spans = parser.spans();
    let total: usize = spans.iter().map(|span| span.bytes).sum();
    assert_eq!(total, output.len(), "bytes vanished of {output:?}");
    let of = |class: Class| {
        let mut at = 0;
        let mut joined = String::new();
        for span in spans {
            if span.class == class {
                joined.push_str(&output[at..at + span.bytes]);
            }
            at += span.bytes;
        }
        joined
    };
    let (mut text, mut reasoning) = (String::new(), String::new());
    for piece in &pieces {
        match piece {
            Piece::Text(more) => text.push_str(more),
            Piece::Reasoning(more) => reasoning.push_str(more),
            _ => {}
        }
    }
    assert_eq!(of(Class::Text), text, "text of {output:?}");
    assert_eq!(of(Class::Reasoning), reasoning, "reasoning of {output:?}");
    join(pieces)
}

/// Pieces are not empty, arguments stand inside calls, calls do not overlap and all end.
fn check_order(output: &str, pieces: &[Piece]) {
    let mut in_call = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) | Piece::Reasoning(text) => {
                assert!(!in_call && !text.is_empty(), "{pieces:?} of {output:?}");
            }
            Piece::CallArguments(text) => assert!(in_call && !text.is_empty(), "{pieces:?}"),
            Piece::CallStart { name, .. } => {
                assert!(!std::mem::replace(&mut in_call, true) && !name.is_empty());
            }
            Piece::CallEnd => assert!(std::mem::replace(&mut in_call, false)),
        }
    }
    assert!(!in_call, "a call without an end in {output:?}");
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

/// Parses whole, cut at each place, and character by character; all must agree.
pub(super) fn every_split(spec: &ParserSpec, output: &str) -> Vec<Piece> {
    let whole = parse(spec, output, &[]);
    let places: Vec<usize> = output.char_indices().map(|(at, _)| at).skip(1).collect();
    assert_eq!(
        parse(spec, output, &places),
        whole,
        "in characters: {output:?}"
    );
    for &cut in &places {
        assert_eq!(
            parse(spec, output, &[cut]),
            whole,
            "cut at {cut}: {output:?}"
        );
    }
    whole
}
