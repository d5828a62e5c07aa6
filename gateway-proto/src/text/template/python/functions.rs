//! Functions that templates may call.

use std::fmt;

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use super::write_str;
use crate::text::template::time::{CLOCK, LocalTime};

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
            Some(object) if source.kind() == minijinja::value::ValueKind::Map => {
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
