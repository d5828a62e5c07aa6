//! What names calls and parameters.

use super::super::ahead::{Ahead, Miss, Seen};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// A parameter's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Whether it is a string, where the head says so.
    pub(super) string: Option<bool>,
}

/// `name>`, as in `<function=name>`.
pub(super) fn bare<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    let name = ahead.run(LONGEST_NAME, |c| !matches!(c, '>' | '<' | '\n'))?;
    ahead.literal(">")?;
    some(name)
}

/// `"name">`, `'name'>` or `name>`, as in `<invoke name="name">`.
pub(super) fn attribute<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    let name = quoted(ahead)?;
    ahead.literal(">")?;
    Ok(name)
}

/// As [`bare`], for a parameter.
pub(super) fn bare_parameter<'a>(ahead: &mut Ahead<'a>) -> Seen<Parameter<'a>> {
    let name = bare(ahead)?;
    Ok(Parameter { name, string: None })
}

/// As [`attribute`], for a parameter.
pub(super) fn attribute_parameter<'a>(ahead: &mut Ahead<'a>) -> Seen<Parameter<'a>> {
    let name = attribute(ahead)?;
    Ok(Parameter { name, string: None })
}

/// `"name" string="true">`; the type may be left out.
pub(super) fn typed_parameter<'a>(ahead: &mut Ahead<'a>) -> Seen<Parameter<'a>> {
    let name = quoted(ahead)?;
    let string = match ahead.either(&[">", " string=\"true\">", " string=\"false\">"])? {
        0 => None,
        which => Some(which == 1),
    };
    Ok(Parameter { name, string })
}

/// `name`, then a line break, the first `<arg_key>` or the end of the call.
pub(super) fn line<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    ahead.space();
    let name = ahead
        .run(LONGEST_NAME, |c| !matches!(c, '<' | '\n'))?
        .trim_end();
    if name.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '"')) {
        return Err(Miss::Never);
    }
    some(name)
}

/// `name</arg_key>` and `<arg_value>`, white space between them.
pub(super) fn key<'a>(ahead: &mut Ahead<'a>) -> Seen<Parameter<'a>> {
    let name = ahead.run(LONGEST_NAME, |c| c != '<')?;
    ahead.literal("</arg_key>")?;
    ahead.space();
    ahead.literal("<arg_value>")?;
    let name = some(name)?;
    Ok(Parameter { name, string: None })
}

fn quoted<'a>(ahead: &mut Ahead<'a>) -> Seen<&'a str> {
    let quote = ahead.peek()?;
    if !matches!(quote, '"' | '\'') {
        return some(ahead.run(LONGEST_NAME, |c| {
            !c.is_whitespace() && !matches!(c, '>' | '<')
        })?);
    }
    ahead.skip(1);
    let name = ahead.run(LONGEST_NAME, |c| c != quote && c != '\n')?;
    ahead.literal(quote.encode_utf8(&mut [0; 4]))?;
    some(name)
}

fn some(name: &str) -> Seen<&str> {
    let name = name.trim();
    if name.is_empty() {
        Err(Miss::Never)
    } else {
        Ok(name)
    }
}
