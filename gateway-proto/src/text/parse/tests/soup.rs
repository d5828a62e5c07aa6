//! Markers and fragments of all formats in any order: nothing panics, nothing vanishes, no split matters.

use proptest::prelude::*;

use crate::text::parse::fuzz;

/// What outputs are made of.
const FRAGMENTS: &[&str] = &[
    "<tool_call>",
    "</tool_call>",
    "<think>",
    "</think>",
    "[THINK]",
    "[/THINK]",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    ":",
    "\"",
    "\\",
    "'",
    "```",
    "```json",
    "\n",
    "\n\n",
    " ",
    "a",
    "text",
    "<",
    "</",
    "<|",
    "é",
    "\u{ff5c}",
    "\u{1f326}",
    "{}",
    "1.5",
    "null",
    "True",
    "\"name\": \"f\"",
    "\"arguments\": ",
    "\"parameters\": ",
    "{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}\"]}}",
    "{\"name\": \"f\", \"parameters\": {}}",
    "{\"arguments\": {}, \"name\": \"f\"}",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "[CALL_ID]",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁sep｜>",
    "function<｜tool▁sep｜>f\n```json\n",
    "f<｜tool▁sep｜>{",
    "<｜DSML｜function_calls>",
    "</｜DSML｜function_calls>",
    "<｜DSML｜invoke name=\"f\">",
    "</｜DSML｜invoke>",
    "<｜DSML｜parameter name=\"p\" string=\"true\">",
    "<｜DSML｜parameter name=\"q\" string=\"false\">",
    "</｜DSML｜parameter>",
    "<|tool_calls_section_begin|>",
    "<|tool_calls_section_end|>",
    "<|tool_call_begin|>",
    "functions.f:0",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
    "<function=f>",
    "</function>",
    "<parameter=p>",
    "</parameter>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "<minimax:tool_call>",
    "</minimax:tool_call>",
    "<invoke name=\"f\">",
    "</invoke>",
    "<parameter name=\"p\">",
    "[f(",
    "f(a=1",
    ", b='x'",
    ")",
    ")]",
    "<|python_start|>",
    "<|python_end|>",
    "```tool_code",
    "<start_function_call>",
    "<end_function_call>",
    "call:f{",
    "<escape>",
    "<|start|>",
    "assistant",
    "<|channel|>",
    "analysis",
    "final",
    "commentary to=functions.f ",
    "<|constrain|>json",
    "<|message|>",
    "<|call|>",
    "<|end|>",
    "<|return|>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_output_is_too_odd(
        family in any::<u8>(),
        style in any::<u8>(),
        fragments in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..24),
    ) {
        let mut data = vec![family, style];
        data.extend(fragments.concat().as_bytes());
        fuzz(&data);
    }

    #[test]
    fn nor_is_a_damaged_one(
        family in any::<u8>(),
        style in any::<u8>(),
        fragments in prop::collection::vec(prop::sample::select(FRAGMENTS), 1..16),
        at in any::<prop::sample::Index>(),
        length in 0_usize..4,
    ) {
        let mut data = fragments.concat().into_bytes();
        let from = at.index(data.len());
        data.drain(from..(from + length).min(data.len()));
        data.splice(0..0, [family, style]);
        fuzz(&data);
    }
}
