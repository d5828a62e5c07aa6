//! What is said of a family's calls is what its parser reads.

use super::harness::every_split;
use crate::text::parse::{Family, ParserSpec, Piece};

#[test]
fn a_framed_call_is_a_call() {
    for family in Family::ALL {
        let Some(frame) = family.frame("get_time") else {
            assert_eq!(family, Family::None);
            continue;
        };
        let arguments = if frame.json { "{\"a\": 1}" } else { "" };
        let output = format!("{}{arguments}{}", frame.begin, frame.end);
        let spec = ParserSpec {
            family,
            ..ParserSpec::default()
        };
        let pieces = every_split(&spec, &output);
        let [
            Piece::CallStart { name, .. },
            Piece::CallArguments(json),
            Piece::CallEnd,
        ] = &pieces[..]
        else {
            panic!("{family}: {pieces:?} of {output:?}");
        };
        let expected = if frame.json { arguments } else { "{}" };
        assert_eq!(
            (name.as_str(), json.as_str()),
            ("get_time", expected),
            "{family}"
        );
    }
}
