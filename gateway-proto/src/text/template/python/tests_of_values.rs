//! Jinja's tests (`is string`, ...), as they hold of Python's values.

use minijinja::Environment;
use minijinja::value::{Value, ValueKind};

use super::number::Number;

/// Replaces the tests that differ.
pub(in super::super) fn install(environment: &mut Environment<'_>) {
    environment.add_test("sequence", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq
                | ValueKind::Iterable
                | ValueKind::Map
                | ValueKind::String
                | ValueKind::Undefined
        )
    });
    environment.add_test("iterable", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::Seq
                | ValueKind::Iterable
                | ValueKind::Map
                | ValueKind::String
                | ValueKind::Undefined
        )
    });
    environment.add_test("number", |value: &Value| {
        matches!(value.kind(), ValueKind::Number | ValueKind::Bool) || own(value).is_some()
    });
    environment.add_test("integer", is_integer);
    environment.add_test("float", |value: &Value| {
        (value.kind() == ValueKind::Number || own(value).is_some()) && !is_integer(value)
    });
    environment.add_test("mapping", |value: &Value| value.kind() == ValueKind::Map);
}

fn own(value: &Value) -> Option<&Number> {
    value.downcast_object_ref::<Number>()
}

fn is_integer(value: &Value) -> bool {
    let held = value.kind() == ValueKind::Number && value.is_integer();
    held || own(value).is_some_and(|number| number.integer)
}
