//! Calls written as a family's template writes them come back, whatever their arguments.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::text::parse::check::parse;
use crate::text::parse::{Family, ParserSpec, Piece, ToolSpec};

/// How a family writes one call of `f`.
type Write = fn(&Map<String, Value>) -> String;

const WRITERS: [(Family, Write); 8] = [
    (Family::Qwen3Coder, |arguments| {
        let parameter =
            |name: &str, value: &str| format!("<parameter={name}>\n{value}\n</parameter>\n");
        tagged(
            arguments,
            "<tool_call>\n<function=f>\n",
            parameter,
            "</function>\n</tool_call>",
        )
    }),
    (Family::MiniMaxM2, |arguments| {
        let parameter =
            |name: &str, value: &str| format!("<parameter name=\"{name}\">{value}</parameter>\n");
        let (head, end) = (
            "<minimax:tool_call>\n<invoke name=\"f\">\n",
            "</invoke>\n</minimax:tool_call>",
        );
        tagged(arguments, head, parameter, end)
    }),
    (Family::Glm45, |arguments| {
        let parameter = |name: &str, value: &str| {
            format!("<arg_key>{name}</arg_key>\n<arg_value>{value}</arg_value>\n")
        };
        tagged(arguments, "<tool_call>f\n", parameter, "</tool_call>")
    }),
    (Family::Glm47, |arguments| {
        let parameter = |name: &str, value: &str| {
            format!("<arg_key>{name}</arg_key><arg_value>{value}</arg_value>")
        };
        tagged(arguments, "<tool_call>f", parameter, "</tool_call>")
    }),
    (Family::DeepSeekV32, dsml),
    (Family::Pythonic, |arguments| {
        let argument = |(name, value): (&String, &Value)| format!("{name}={}", python(value));
        format!("[f({})]", joined(arguments.iter().map(argument)))
    }),
    (Family::Gemma, |arguments| {
        format!(
            "<|tool_call>call:f{}<tool_call|>",
            gemma(&Value::Object(arguments.clone()))
        )
    }),
    (Family::Harmony, |arguments| {
        let json = Value::Object(arguments.clone());
        format!("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{json}<|call|>")
    }),
];

fn tagged(
    arguments: &Map<String, Value>,
    head: &str,
    parameter: fn(&str, &str) -> String,
    end: &str,
) -> String {
    let mut output = head.to_owned();
    for (name, value) in arguments {
        output += &parameter(name, &bare(value));
    }
    output + end
}

/// A value as text: strings bare, the rest as JSON.
fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn dsml(arguments: &Map<String, Value>) -> String {
    let mut output = "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"f\">\n".to_owned();
    for (name, value) in arguments {
        let (string, value) = (value.is_string(), bare(value));
        let head = format!("<｜DSML｜parameter name=\"{name}\" string=\"{string}\">");
        writeln!(output, "{head}{value}</｜DSML｜parameter>").unwrap();
    }
    output + "</｜DSML｜invoke>\n</｜DSML｜function_calls>"
}

fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(yes) => if *yes { "True" } else { "False" }.into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(python))),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("'{key}': {}", python(value));
            format!("{{{}}}", joined(members.iter().map(member)))
        }
    }
}

fn gemma(value: &Value) -> String {
    match value {
        Value::String(text) => format!("<|\"|>{text}<|\"|>"),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(gemma))),
        Value::Object(members) => {
            let member = |(key, value): (&String, &Value)| format!("{key}:{}", gemma(value));
            format!("{{{}}}", joined(members.iter().map(member)))
        }
        other => other.to_string(),
    }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

/// Schemas of the values' types.
fn tools(arguments: &Map<String, Value>) -> ToolSpec {
    let schema = |value: &Value| match value {
        Value::Null => json!({"type": ["null", "integer"]}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(_) => json!({"type": "array"}),
        Value::Object(_) => json!({"anyOf": [{"type": "object"}, {"type": "null"}]}),
    };
    let properties = arguments
        .iter()
        .map(|(name, value)| (name.clone(), schema(value)));
    ToolSpec {
        name: "f".to_owned(),
        parameters: json!({"properties": properties.collect::<Map<_, _>>()}),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c<>/|{}()\\[\\]=,:\"'\\\\\u{e9}\u{1f326} ]{0,12}".prop_map(Value::from),
        "([a-c<]{1,3}\n){0,3}[a-c]".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,4}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arguments_come_back(
        members in prop::collection::vec(("[a-z_]{1,6}", value()), 0..4),
        calls in 1_usize..3,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let arguments: Map<String, Value> = members.into_iter().collect();
        for (family, write) in WRITERS {
            let spec = ParserSpec { family, tools: [tools(&arguments)].into(), ..ParserSpec::default() };
            let output = write(&arguments).repeat(calls);
            let places: Vec<usize> = output.char_indices().map(|(at, _)| at).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| *cut.get(&places)).collect();
            cuts.sort_unstable();
            // Messages of Harmony have heads of their own.
            let output = output.replace("<|call|><|channel|>", "<|call|><|start|>assistant<|channel|>");
            cuts.retain(|cut| output.is_char_boundary(*cut));
            let pieces = parse(&spec, &output, &cuts);
            let mut written = pieces.iter().filter_map(|piece| match piece {
                Piece::CallArguments(json) => Some(serde_json::from_str::<Value>(json).expect(json)),
                Piece::Text(text) => panic!("{family}: text {text:?} in {output:?}"),
                _ => None,
            });
            for _ in 0..calls {
                let read = written.next();
                prop_assert_eq!(read.as_ref(), Some(&Value::Object(arguments.clone())), "{}: {}", family, output);
            }
            prop_assert_eq!(written.next(), None);
        }
    }
}
