//! Runs a parser over an output in every way that must not matter.

use crate::text::parse::check::parse;
use crate::text::parse::{ParserSpec, Piece};

/// Parses whole, cut at each place, and character by character; all must agree.
pub(super) fn every_split(spec: &ParserSpec, output: &str) -> Vec<Piece> {
    let whole = parse(spec, output, &[]);
    let places: Vec<usize> = output.char_indices().map(|(at, _)| at).skip(1).collect();
    let characters = parse(spec, output, &places);
    assert_eq!(characters, whole, "in characters: {output:?}");
    for &cut in &places {
        let cut_once = parse(spec, output, &[cut]);
        assert_eq!(cut_once, whole, "cut at {cut}: {output:?}");
    }
    whole
}

/// An output cut short at any place is accounted for as well, whatever the pushes.
pub(super) fn every_end(spec: &ParserSpec, output: &str) {
    let places: Vec<usize> = output.char_indices().map(|(at, _)| at).collect();
    for (count, &end) in places.iter().enumerate().skip(1) {
        let cut = &output[..end];
        let whole = parse(spec, cut, &[]);
        assert_eq!(parse(spec, cut, &places[1..count]), whole, "{cut:?}");
    }
}
