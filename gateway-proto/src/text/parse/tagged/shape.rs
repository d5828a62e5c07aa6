//! The formats.

use super::super::ahead::{Ahead, Seen};
use super::super::typed::Types;
use super::heads::{self, Parameter};

/// One format. All texts begin with `<`.
#[derive(Debug)]
pub(in super::super) struct Shape {
    /// The tags around one or more calls, where the format has them.
    pub(super) section: Option<(&'static str, &'static str)>,
    /// Markers outside a section.
    pub(super) outside: &'static [&'static str],
    /// Markers inside a section, or right after a call.
    pub(super) inside: &'static [&'static str],
    /// The beginning of a call.
    pub(super) call: &'static str,
    /// Reads on from there to the end of the call's head.
    pub(super) head: for<'a> fn(&mut Ahead<'a>) -> Seen<&'a str>,
    /// The end of a call.
    pub(super) call_end: &'static str,
    /// The beginning of a parameter.
    pub(super) parameter: &'static str,
    /// Reads on from there to the value.
    pub(super) parameter_head: for<'a> fn(&mut Ahead<'a>) -> Seen<Parameter<'a>>,
    /// The end of a value.
    pub(super) value_end: &'static str,
    /// Line breaks around a value that are not part of it.
    pub(super) breaks: Breaks,
    /// What a value may be where the schema does not tell.
    pub(super) untyped: Types,
}

/// Line breaks around a value, one on each side at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breaks {
    /// Part of the value.
    Keep,
    /// Markup.
    Drop,
    /// Markup where there is one at the beginning: the one at the end belongs to it.
    Pair,
}

/// `<tool_call>\n<function=name>\n<parameter=key>\nvalue\n</parameter>\n</function>\n</tool_call>`: Qwen3-Coder, Qwen 3.5.
///
/// The model may forget the outer tags; a bare `<function=name>` counts where a parameter or the end of the call follows.
/// Values stand on lines of their own. A parameter that the schema does not have is a string, as in the model's own
/// parser.
pub(in super::super) static QWEN3_CODER: Shape = Shape {
    section: Some(("<tool_call>", "</tool_call>")),
    outside: &["<tool_call>", "<function="],
    inside: &["<tool_call>", "<function=", "</tool_call>"],
    call: "<function=",
    head: heads::bare,
    call_end: "</function>",
    parameter: "<parameter=",
    parameter_head: heads::bare_parameter,
    value_end: "</parameter>",
    breaks: Breaks::Drop,
    untyped: Types::STRING,
};

/// `<minimax:tool_call>\n<invoke name="name">\n<parameter name="key">value</parameter>\n</invoke>\n</minimax:tool_call>`:
/// MiniMax M2.
///
/// Several calls share the outer tags, which the model may forget. Values stand between their tags as they are, but for a
/// pair of line breaks; engines cut all white space there, which costs files their last line break.
pub(in super::super) static MINIMAX_M2: Shape = Shape {
    section: Some(("<minimax:tool_call>", "</minimax:tool_call>")),
    outside: &["<minimax:tool_call>", "<invoke name="],
    inside: &[
        "<minimax:tool_call>",
        "<invoke name=",
        "</minimax:tool_call>",
    ],
    call: "<invoke name=",
    head: heads::attribute,
    call_end: "</invoke>",
    parameter: "<parameter name=",
    parameter_head: heads::attribute_parameter,
    value_end: "</parameter>",
    breaks: Breaks::Pair,
    untyped: Types::STRING,
};

/// `<｜DSML｜function_calls>` with `<｜DSML｜invoke name="name">` and `<｜DSML｜parameter name="key" string="true">value`:
/// DeepSeek V3.2.
///
/// The head of a parameter says whether it is a string or JSON; the schema counts where it does not.
pub(in super::super) static DSML: Shape = Shape {
    section: Some(("<｜DSML｜function_calls>", "</｜DSML｜function_calls>")),
    outside: &["<｜DSML｜function_calls>", "<｜DSML｜invoke name="],
    inside: &[
        "<｜DSML｜function_calls>",
        "<｜DSML｜invoke name=",
        "</｜DSML｜function_calls>",
    ],
    call: "<｜DSML｜invoke name=",
    head: heads::attribute,
    call_end: "</｜DSML｜invoke>",
    parameter: "<｜DSML｜parameter name=",
    parameter_head: heads::typed_parameter,
    value_end: "</｜DSML｜parameter>",
    breaks: Breaks::Keep,
    untyped: Types::ANY,
};

/// `<tool_call>name\n<arg_key>key</arg_key>\n<arg_value>value</arg_value>\n</tool_call>`: GLM-4.5 and 4.6, and with the
/// line breaks left out GLM-4.7 and 5.
///
/// The template writes strings bare and everything else as JSON, so a value of unknown type is JSON if it reads so.
pub(in super::super) static GLM: Shape = Shape {
    section: None,
    outside: &["<tool_call>"],
    inside: &["<tool_call>"],
    call: "<tool_call>",
    head: heads::line,
    call_end: "</tool_call>",
    parameter: "<arg_key>",
    parameter_head: heads::key,
    value_end: "</arg_value>",
    breaks: Breaks::Keep,
    untyped: Types::ANY,
};
