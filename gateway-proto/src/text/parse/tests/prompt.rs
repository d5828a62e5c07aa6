//! Nothing is held back that is certain.

use crate::text::parse::{Family, ParserSpec, Piece, ReasoningStyle, Tags};

/// What comes out of each push.
fn pushes(spec: &ParserSpec, output: &[&str]) -> Vec<Vec<Piece>> {
    let mut parser = spec.build();
    let one = |text: &&str| {
        let mut out = Vec::new();
        parser.push(text, &mut out);
        out
    };
    output.iter().map(one).collect()
}

fn text(text: &str) -> Vec<Piece> {
    vec![Piece::Text(text.to_owned())]
}

fn arguments(text: &str) -> Vec<Piece> {
    vec![Piece::CallArguments(text.to_owned())]
}

#[test]
fn plain_text_passes_at_once_in_every_family() {
    for family in Family::ALL {
        // A channel must be named before a message can say anything.
        if family == Family::Harmony {
            continue;
        }
        let spec = ParserSpec {
            family,
            reasoning: ReasoningStyle::Tagged(Tags::think()),
            ..ParserSpec::default()
        };
        let out = pushes(&spec, &["Hel", "lo", " wor", "ld."]);
        let texts = ["Hel", "lo", " wor", "ld."].map(text);
        assert_eq!(out, texts, "{family}");
    }
}

#[test]
fn arguments_pass_as_they_come() {
    let spec = ParserSpec {
        family: Family::Hermes,
        ..ParserSpec::default()
    };
    let output = [
        "Hi <tool",
        "_call>{\"name\": \"f\", \"arguments\"",
        ": {",
        "\"a\"",
        ": \"</tool",
        "_call>",
        "\"}",
        "}",
    ];
    let out = pushes(&spec, &output);
    assert_eq!(out[0], text("Hi"));
    assert_eq!(out[1], []);
    let start = Piece::CallStart {
        id: None,
        name: "f".to_owned(),
    };
    assert_eq!(out[2], [start, Piece::CallArguments("{".to_owned())]);
    assert_eq!(out[3], arguments("\"a\""));
    assert_eq!(out[4], arguments(": \"</tool"));
    assert_eq!(out[5], arguments("_call>"));
    assert_eq!(
        out[6],
        [Piece::CallArguments("\"}".to_owned()), Piece::CallEnd]
    );
    assert_eq!(out[7], []);
}

#[test]
fn an_answer_in_json_streams_from_its_first_strange_key() {
    let spec = ParserSpec {
        family: Family::Json,
        ..ParserSpec::default()
    };
    let out = pushes(&spec, &["{\"ci", "ty\"", ": \"Os", "lo\"}"]);
    let expected = [vec![], text("{\"city\""), text(": \"Os"), text("lo\"}")];
    assert_eq!(out, expected);
}

#[test]
fn a_budget_closes_reasoning_with_the_tag_itself() {
    let tags = Tags::think();
    let spec = ParserSpec {
        reasoning: ReasoningStyle::ForcedOpen(tags.clone()),
        ..ParserSpec::default()
    };
    let mut parser = spec.build();
    let mut out = Vec::new();
    parser.push("On and on </", &mut out);
    assert!(parser.is_reasoning());
    parser.push(tags.close(), &mut out);
    assert!(!parser.is_reasoning());
    parser.push("\n\nYes.", &mut out);
    parser.finish(&mut out);
    let reasoning: String = out
        .iter()
        .map(|piece| match piece {
            Piece::Reasoning(text) => text.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(
        (reasoning.as_str(), out.last()),
        ("On and on </", text("Yes.").first())
    );
}
