//! `<｜tool▁calls▁begin｜>` and its kin: DeepSeek V3, R1 and V3.1.
//!
//! V3 and R1 write `function`, a separator, the name, and the arguments in a fenced block; V3.1 the name, the separator and
//! the arguments. The bars and low lines of the special tokens are U+FF5C and U+2581.

use super::ahead::{Ahead, Seen};
use super::section::{Format, Head};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

const BEGIN: &str = "<｜tool▁calls▁begin｜>";
const END: &str = "<｜tool▁calls▁end｜>";
const CALL: &str = "<｜tool▁call▁begin｜>";
const CALL_END: &str = "<｜tool▁call▁end｜>";
const SEPARATOR: &str = "<｜tool▁sep｜>";

/// DeepSeek V3 and R1.
pub(super) static V3: Format = Format {
    head: fenced,
    fence: &["```"],
    ..V31
};

/// DeepSeek V3.1.
pub(super) static V31: Format = Format {
    begins: &[BEGIN],
    ends: &[END],
    call: CALL,
    call_end: CALL_END,
    head: plain,
    fence: &[],
    outside: &[BEGIN, CALL],
    inside: &[BEGIN, CALL, END],
    unclosed: &[BEGIN, CALL, END, CALL_END],
    ends_reasoning: false,
};

/// `name<｜tool▁sep｜>`.
fn plain<'a>(ahead: &mut Ahead<'a>) -> Seen<Head<'a>> {
    let name = name(ahead)?;
    ahead.literal(SEPARATOR)?;
    Ok(Head { id: None, name })
}

/// `function<｜tool▁sep｜>name`, a line break, and the opening of a fenced block, whatever its language.
fn fenced<'a>(ahead: &mut Ahead<'a>) -> Seen<Head<'a>> {
    name(ahead)?;
    ahead.literal(SEPARATOR)?;
    let name = name(ahead)?;
    ahead.literal("```")?;
    ahead.run(LONGEST_NAME, |c| c.is_ascii_alphanumeric())?;
    Ok(Head { id: None, name })
}

/// A name with whitespace around it.
fn name<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    ahead.space();
    let name = ahead.word(LONGEST_NAME)?;
    ahead.space();
    Ok(name)
}
