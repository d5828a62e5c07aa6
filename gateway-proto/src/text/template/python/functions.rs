//! Functions that templates may call.
#![expect(
    clippy::needless_pass_by_value,
    reason = "the engine hands arguments over by value"
)]

use std::fmt;

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::{List, write_str};
use crate::text::template::time::{CLOCK, LocalTime};

/// What loops go through: see the module on preparing sources.
pub(in super::super) const ITERATE: &str = "__iter";

/// What sums with safe texts are: see there.
pub(in super::super) const MARKUP: &str = "__markup";

/// What a template raised, carried through the engine's error.
#[derive(Debug)]
pub(in super::super) struct Raised(pub(in super::super) String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

/// Adds the functions.
pub(in super::super) fn install(environment: &mut Environment<'_>) {
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", strftime_now);
    environment.add_function("dict", dict);
    environment.add_function(ITERATE, iterate);
    environment.add_function(MARKUP, markup);
}

fn raise_exception(message: &Value) -> Result<Value, Error> {
    let mut text = String::new();
    write_str(&mut text, message)?;
    Err(Error::new(ErrorKind::InvalidOperation, "the template raised").with_source(Raised(text)))
}

fn strftime_now(state: &State<'_, '_>, format: &str) -> Result<String, Error> {
    let clock = state.lookup(CLOCK);
    let now = clock
        .as_ref()
        .and_then(|value| value.downcast_object_ref::<LocalTime>());
    let now = now.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no time is known"))?;
    Ok(now.strftime(format))
}

/// `dict()`, `dict(other)`, `dict(pairs)`, each with further members by name.
fn dict(args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    match args.as_slice() {
        [] => {}
        [source] => match source.as_object() {
            Some(object) if source.kind() == ValueKind::Map => {
                pairs.extend(object.try_iter_pairs().into_iter().flatten());
            }
            _ => {
                for pair in source.try_iter()? {
                    let part = |at: usize| pair.get_item_by_index(at);
                    pairs.push((part(0)?, part(1)?));
                }
            }
        },
        _ => return Err(Error::from(ErrorKind::TooManyArguments)),
    }
    for name in kwargs.args() {
        pairs.push((Value::from(name), kwargs.peek(name)?));
    }
    Ok(Value::from_pairs(pairs))
}

/// What a loop goes through; several arguments are a tuple.
fn iterate(args: Rest<Value>) -> Result<Value, Error> {
    let [value] = args.as_slice() else {
        return Ok(List::value(args.to_vec()));
    };
    match value.kind() {
        ValueKind::Undefined | ValueKind::String | ValueKind::Seq | ValueKind::Map => {
            Ok(value.clone())
        }
        // A length is known of lists only.
        ValueKind::Iterable => Ok(List::value(value.try_iter()?.collect())),
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value of type {kind} is not iterable"),
        )),
    }
}

/// The sum of texts: a safe one escapes what it is added to, and makes the sum safe.
fn markup(args: Rest<Value>) -> Result<Value, Error> {
    let mut sum = String::new();
    let mut is_safe = false;
    for (at, value) in args.iter().enumerate() {
        let text = value.as_str().ok_or_else(|| {
            let text = "only texts can be added to a text";
            Error::new(ErrorKind::InvalidOperation, text)
        })?;
        if value.is_safe() && !is_safe && at > 0 {
            sum = escape(&sum);
        }
        if is_safe && !value.is_safe() {
            sum.push_str(&escape(text));
        } else {
            sum.push_str(text);
        }
        is_safe |= value.is_safe();
    }
    Ok(if is_safe {
        Value::from_safe_string(sum)
    } else {
        Value::from(sum)
    })
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}
