//! Formats that are converted to JSON: what goes out when.

use serde_json::json;

use crate::text::parse::{Family, ParserSpec, Piece, ToolSpec};

/// The arguments that come out of each push, after the call has begun.
fn arguments(family: Family, head: &str, pushes: &[&str]) -> Vec<String> {
    let tool = ToolSpec {
        name: "f".to_owned(),
        parameters: json!({"properties": {
            "s": {"type": "string"},
            "n": {"type": "integer"},
            "o": {"type": ["string", "null"]},
        }}),
    };
    let spec = ParserSpec {
        family,
        tools: [tool].into(),
        ..ParserSpec::default()
    };
    let mut parser = spec.build();
    parser.push(head, &mut Vec::new());
    let push = |text: &&str| {
        let mut out = Vec::new();
        parser.push(text, &mut out);
        let json = out.into_iter().map(|piece| match piece {
            Piece::CallArguments(json) => json,
            Piece::CallEnd => "END".to_owned(),
            other => panic!("{other:?}"),
        });
        json.collect()
    };
    pushes.iter().map(push).collect()
}

#[test]
fn a_tagged_string_goes_out_but_for_what_may_be_its_end() {
    let pushes = [
        "<parameter=s>",
        "\nab",
        "c\n",
        "d\"",
        "\n</par",
        "ty>",
        "\n</parameter>",
        "\n</function>",
    ];
    let out = arguments(Family::Qwen3Coder, "<tool_call>\n<function=f>\n", &pushes);
    let expected = [
        "{\"s\": ",
        "\"ab",
        "c",
        "\\nd\\\"",
        "",
        "\\n</party>",
        "\"",
        "}END",
    ];
    assert_eq!(out, expected);
}

#[test]
fn other_types_wait_for_their_end() {
    let pushes = ["<arg_key>n</arg_key>\n<arg_value>1", "2", "</arg_value>"];
    let out = arguments(
        Family::Glm45,
        "<tool_call>f\n<arg_key>s</arg_key><arg_value></arg_value>",
        &pushes,
    );
    assert_eq!(out, [", \"n\": ", "", "12"]);
}

#[test]
fn a_string_that_may_be_null_waits_until_it_is_not() {
    let pushes = ["<arg_key>o</arg_key><arg_value>nu", "ll", "ify", " it"];
    let out = arguments(
        Family::Glm47,
        "<tool_call>f<arg_key>s</arg_key><arg_value></arg_value>",
        &pushes,
    );
    assert_eq!(out, [", \"o\": ", "", "\"nullify", " it"]);
}

#[test]
fn a_long_value_of_another_type_is_a_string_in_the_end() {
    let long = format!("{{{}", " ".repeat(1 << 20));
    let out = arguments(
        Family::Glm45,
        "<tool_call>f\n<arg_key>n</arg_key><arg_value>",
        &["{", &long, "x"],
    );
    assert_eq!(
        (out[0].as_str(), out[1].len(), out[2].as_str()),
        ("", long.len() + 2, "x")
    );
}

#[test]
fn any_amount_of_white_space_may_stand_between_parameters() {
    let space = "\n".repeat(1_000);
    let out = arguments(
        Family::Qwen3Coder,
        "<tool_call>\n<function=f>\n",
        &[&space, &format!("{space}</function>")],
    );
    assert_eq!(out, ["", "{}END"]);
}

#[test]
fn python_and_gemma_strings_go_out_as_they_come() {
    let pushes = ["a", "b\\", "n", "c'", ", n=1", "2", ")"];
    let out = arguments(Family::Pythonic, "[f(s='", &pushes);
    // The opening quote may have been the first of three.
    assert_eq!(out, ["\"a", "b", "\\n", "c\"", ", \"n\": ", "", "12}END"]);
    let pushes = ["a", "b<|", "c<|\"", "|>", ",n:1", "2", "}", "<tool_call|>"];
    let out = arguments(Family::Gemma, "<|tool_call>call:f{s:<|\"|>", &pushes);
    assert_eq!(out, ["a", "b", "<|c", "\"", ", \"n\": ", "", "12}", "END"]);
}

#[test]
fn arguments_of_a_message_pass_as_they_are() {
    let pushes = ["{\"a\"", ": <", "1}", "<|call|>"];
    let out = arguments(
        Family::Harmony,
        "<|channel|>commentary to=functions.f<|message|>",
        &pushes,
    );
    assert_eq!(out, ["{\"a\"", ": ", "<1}", "END"]);
}
