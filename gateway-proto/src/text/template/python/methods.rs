//! Methods of Python's built-in types.

use minijinja::value::{Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::{List, strings};

/// What a slice in a template's source becomes: see the module on preparing sources.
pub(in super::super) const SLICE: &str = "__slice";

/// Answers the methods that the template engine does not know.
pub(in super::super) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if method == SLICE {
        return slice(value, args);
    }
    let answer = match value.kind() {
        ValueKind::String => strings::call(value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq | ValueKind::Iterable => sequence(value, method, args)?,
        _ => None,
    };
    match answer {
        Some(answer) => Ok(answer),
        None => unknown_method_callback(state, value, method, args),
    }
}

fn sequence(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "index" => {
            let (what,): (&Value,) = from_args(args)?;
            let place = value.try_iter()?.position(|item| item == *what);
            let missing = || {
                Error::new(
                    ErrorKind::InvalidOperation,
                    format!("{what} is not in list"),
                )
            };
            place.map(|at| Some(Value::from(at))).ok_or_else(missing)
        }
        "copy" => Ok(Some(List::value(value.try_iter()?.collect()))),
        _ => Ok(None),
    }
}

/// `value[start:stop:step]`.
fn slice(value: &Value, args: &[Value]) -> Result<Value, Error> {
    let (start, stop, step): (Option<i64>, Option<i64>, Option<i64>) = from_args(args)?;
    let step = step.unwrap_or(1);
    if step == 0 {
        let text = "slice step cannot be zero";
        return Err(Error::new(ErrorKind::InvalidOperation, text));
    }
    match value.kind() {
        ValueKind::String => {
            let chars: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            let places = places(chars.len(), start, stop, step);
            Ok(Value::from(places.map(|at| chars[at]).collect::<String>()))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            let places = places(items.len(), start, stop, step);
            let taken: Vec<Value> = places.map(|at| items[at].clone()).collect();
            if value.is_tuple() {
                return Ok(Value::from(minijinja::value::Tuple::from(taken)));
            }
            Ok(List::value(taken))
        }
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value of type {kind} cannot be sliced"),
        )),
    }
}

/// The indices that Python's slice takes of `length` items.
fn places(
    length: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let bound = |place: Option<i64>, default: i64| match place {
        None => default,
        Some(place) if place < 0 => place.saturating_add(length).clamp(low, high),
        Some(place) => place.clamp(low, high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (from, to) = (bound(start, first), bound(stop, last));
    let inside = move |at: &i64| if step > 0 { *at < to } else { *at > to };
    let next = move |at: &i64| at.checked_add(step);
    std::iter::successors(Some(from), next)
        .take_while(inside)
        .filter_map(|at| usize::try_from(at).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
        places(length, start, stop, step).collect()
    }

    #[test]
    fn slices_take_what_python_takes() {
        assert_eq!(taken(4, None, None, 1), [0, 1, 2, 3]);
        assert_eq!(taken(4, None, None, -1), [3, 2, 1, 0]);
        assert!(taken(0, None, None, -1).is_empty());
        assert_eq!(taken(4, Some(1), Some(-1), 1), [1, 2]);
        assert_eq!(taken(4, Some(-2), None, 1), [2, 3]);
        assert_eq!(taken(4, Some(-9), Some(9), 2), [0, 2]);
        assert_eq!(taken(4, Some(9), Some(0), -2), [3, 1]);
        assert!(taken(4, Some(0), Some(3), -1).is_empty());
        assert!(taken(4, Some(i64::MIN), Some(i64::MIN), i64::MIN).is_empty());
        assert_eq!(taken(4, None, None, i64::MAX), [0]);
    }
}
