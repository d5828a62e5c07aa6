//! Jinja's filters, where they must act on Python's values.

use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::{dumps, strings, write_str};

/// Replaces the filters that differ.
pub(in super::super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("tojson", dumps::tojson);
    environment.add_filter("string", |value: &Value| text(value));
    environment.add_filter("safe", |value: &Value| value.clone());
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
        ValueKind::Iterable => Ok(value.try_iter()?.count()),
        kind => value.len().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!("object of type {kind} has no len()"),
            )
        }),
    }
}
