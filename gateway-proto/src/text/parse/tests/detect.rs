//! Families from templates: the lines of each family's template that tell it.

use crate::text::parse::{Family, ParserSpec, ReasoningStyle, Tags};

fn think(forced: bool) -> ReasoningStyle {
    if forced {
        ReasoningStyle::ForcedOpen(Tags::think())
    } else {
        ReasoningStyle::Tagged(Tags::think())
    }
}

#[test]
fn families_are_told_by_their_markers() {
    let cases: &[(&str, Family)] = &[
        (
            "{{ '<|start|>assistant<|channel|>final<|message|>' }}",
            Family::Harmony,
        ),
        ("{{ '<|tool_call>call:' + name + '{' }}", Family::Gemma),
        ("{{ '<start_function_call>call:' + name }}", Family::Gemma),
        (
            "{% set dsml = '｜DSML｜' %}{{ '<' + dsml + 'function_calls>' }}",
            Family::DeepSeekV32,
        ),
        (
            "{{ '<｜tool▁call▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + name + '\\n```json\\n' }}",
            Family::DeepSeekV3,
        ),
        (
            "{{ '<｜tool▁call▁begin｜>' + name + '<｜tool▁sep｜>' + arguments }}",
            Family::DeepSeekV31,
        ),
        (
            "<|tool_call_begin|>{{ id }}<|tool_call_argument_begin|>",
            Family::KimiK2,
        ),
        (
            "{%- set toolcall_begin_token = '<minimax:tool_call>' -%}",
            Family::MiniMaxM2,
        ),
        (
            "<tool_call>{{ name }}\n<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v }}</arg_value>",
            Family::Glm45,
        ),
        (
            "<tool_call>{{ name }}<arg_key>{{ k }}</arg_key><arg_value>{{ v }}</arg_value>",
            Family::Glm47,
        ),
        (
            "{{ '<tool_call>\\n<function=' + name + '>\\n<parameter=' + key }}",
            Family::Qwen3Coder,
        ),
        ("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", Family::Mistral),
        ("{{ '<tool_call>\\n{\"name\": \"' + name }}", Family::Hermes),
        (
            "<|header_start|> .. [func_name1(params_name1=params_value1)]",
            Family::Llama4Pythonic,
        ),
        (
            "<start_of_turn> .. [func_name1(params_name1=params_value1)]",
            Family::Pythonic,
        ),
        ("<|start_header_id|> .. <|python_tag|>", Family::Llama3Json),
        (
            "<|start_header_id|> .. {\"name\": function name, \"parameters\": dictionary}",
            Family::Llama3Json,
        ),
        (
            "<|header_start|> .. {\"name\": function name, \"parameters\": dictionary}",
            Family::Llama3Json,
        ),
        (
            "{% if message.tool_calls %}{{ message.tool_calls | tojson }}",
            Family::Json,
        ),
        ("{{ '<|im_start|>' + message.role }}", Family::None),
    ];
    for (source, family) in cases {
        assert_eq!(ParserSpec::of_template(source).0, *family, "{source}");
    }
}

#[test]
fn reasoning_is_told_by_the_opening_of_the_turn() {
    let qwen3 = "{% if '</think>' in content %}..{% endif %}{% if add_generation_prompt %}\
        {{ '<|im_start|>assistant\\n' }}{% if enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}";
    let thinking = "..</think>..{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}";
    let switched = "..</think>..{% if add_generation_prompt %}{% if thinking %}{{ '<think>' }}{% else %}\
        {{ '</think>' }}{% endif %}{% endif %}";
    let magistral = "{{ '[THINK]' + block + '[/THINK]' }}";
    let harmony = "<|channel|><|message|></think>";
    let brackets = ReasoningStyle::Tagged(Tags::brackets());
    for (source, style) in [
        (qwen3, think(false)),
        (thinking, think(true)),
        (switched, think(true)),
        (magistral, brackets),
        (harmony, ReasoningStyle::None),
        ("{{ message.content }}", ReasoningStyle::None),
    ] {
        assert_eq!(ParserSpec::of_template(source).1, style, "{source}");
    }
}
