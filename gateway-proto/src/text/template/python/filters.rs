//! Jinja's filters, where they must act on Python's values.
#![expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over by value"
)]

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::generator::{self, Generator};
use super::{dumps, strings, write_str};

/// Replaces the filters that differ.
pub(in super::super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", dumps::tojson);
    environment.add_filter("string", |value: &Value| text(value));
    environment.add_filter("safe", |value: &Value| {
        text(value).map(Value::from_safe_string)
    });
    environment.add_filter("trim", trim);
    environment.add_filter("upper", |value: &Value| {
        Ok::<_, Error>(text(value)?.to_uppercase())
    });
    environment.add_filter("lower", |value: &Value| {
        Ok::<_, Error>(text(value)?.to_lowercase())
    });
    environment.add_filter("capitalize", |value: &Value| {
        Ok::<_, Error>(strings::capitalize(&text(value)?))
    });
    environment.add_filter("length", length);
    environment.add_filter("count", length);
    environment.add_filter("indent", indent);
    generator::install(environment);
}

/// Widest indentation, so that a template cannot ask for gigabytes.
const WIDEST: usize = 1_000;

/// `indent(text, width=4, first=False, blank=False)`.
fn indent(
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let width = width.or(kwargs.get("width")?).unwrap_or(Value::from(4));
    let first = first.or(kwargs.get("first")?).unwrap_or(false);
    let blank = blank.or(kwargs.get("blank")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    let indention = match (width.as_str(), width.as_usize()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(width)) => " ".repeat(width.min(WIDEST)),
        (None, None) => return Err(Error::new(ErrorKind::InvalidOperation, "bad width")),
    };
    let text = text(value)?;
    let mut out = if first {
        indention.clone()
    } else {
        String::new()
    };
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
            out.push_str(if blank || !line.is_empty() {
                &indention
            } else {
                ""
            });
        }
        out.push_str(line);
    }
    Ok(out)
}

/// `str(value)`.
fn text(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write_str(&mut out, value)?;
    Ok(out)
}

fn trim(value: &Value, chars: Option<&str>) -> Result<String, Error> {
    let text = text(value)?;
    let chars: Option<Vec<char>> = chars.map(|chars| chars.chars().collect());
    Ok(strings::strip(&text, chars.as_deref(), true, true).to_owned())
}

fn length(value: &Value) -> Result<usize, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(0),
        ValueKind::Iterable if value.downcast_object_ref::<Generator>().is_none() => {
            Ok(value.try_iter()?.count())
        }
        kind => value.len().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!("object of type {kind} has no len()"),
            )
        }),
    }
}
