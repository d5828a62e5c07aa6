//! Schemas good and hostile. The hostile ones would take hours or the stack where a bound is missing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::recent::Recent;
use super::{Compiled, compiled};

fn refused(schema: &Value) -> String {
    match Compiled::of(&schema.to_string()) {
        Ok(_) => panic!("taken: {schema}"),
        Err(error) => error.to_string(),
    }
}

fn taken(schema: &Value) -> Compiled {
    Compiled::of(&schema.to_string()).expect("a good schema")
}

/// A chain of definitions, each of which `link` makes of a reference to the next, up to a text.
fn chain(length: usize, link: impl Fn(Value) -> Value) -> Value {
    let mut definitions = serde_json::Map::new();
    for at in 0..length {
        let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
        definitions.insert(format!("d{at}"), link(next));
    }
    definitions.insert(format!("d{length}"), json!({"type": "string"}));
    json!({"$defs": definitions, "$ref": "#/$defs/d0"})
}

#[test]
fn violations_are_told_with_their_places() {
    let tree = taken(&json!({"type": "object", "properties": {
        "value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}}}));
    assert_eq!(tree.violation(r#"{"children":[{"value":1}]}"#, "it"), None);
    let told = tree.violation(r#"{"children":[{"value":"secret"}]}"#, "it");
    let told = told.expect("no integer");
    assert!(told.contains("/children/0/value"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    let told = tree.violation("{", "it").expect("no JSON");
    assert!(told.starts_with("it is no JSON"), "{told}");
}

#[test]
fn nothing_but_the_schema_itself_is_referred_to() {
    for to in [
        "https://example.com/schema.json",
        "http://127.0.0.1:9/",
        "file:///etc/passwd",
        "other.json#/$defs/a",
    ] {
        let told = refused(&json!({"properties": {"a": {"$ref": to}}}));
        assert!(told.contains(to), "{told}");
    }
    refused(&json!({"$schema": "http://127.0.0.1:9/schema", "type": "object"}));
    refused(&json!({"$dynamicRef": "#a"}));
    refused(&json!({"$ref": "#/$defs/absent"}));
    refused(&json!({"$defs": {"a": {"$id": "https://example.com/a", "$ref": "#/$defs/b"}}}));
    // A property may be called like a keyword.
    taken(
        &json!({"properties": {"$id": {"type": "string"}, "id": {"type": "string"}, "$ref": {}}}),
    );
}

#[test]
fn references_that_double_in_place_are_refused() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let told = refused(&chain(30, |next| json!({keyword: [next, next]})));
        assert!(told.contains("apply to one value"), "{told}");
    }
    refused(&json!({"$ref": "#"}));
    refused(
        &json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}},
        "$ref": "#/$defs/a"}),
    );
}

#[test]
fn references_that_double_from_level_to_level_cost_no_more_than_the_answer_pays_for() {
    let link =
        |next: Value| json!({"allOf": [{"properties": {"a": next}}, {"properties": {"a": next}}]});
    let schema = taken(&chain(40, link));
    let answer = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    let told = schema.violation(&answer(40), "it").expect("not checked");
    assert!(told.contains("too long"), "{told}");
    assert_eq!(schema.violation(&answer(5), "it"), None);
}

#[test]
fn unevaluated_members_count_the_parts_that_are_looked_at_again() {
    let nested = (0..60).fold(
        json!({"type": "object"}),
        |inner, _| json!({"allOf": [inner], "unevaluatedProperties": true}),
    );
    let told = taken(&nested).violation(r#"{"a":1}"#, "it");
    assert!(told.is_some_and(|told| told.contains("too long")));
}

#[test]
fn the_longest_chain_of_references_is_compiled_and_checked() {
    let schema = taken(&chain(190, |next| json!({"allOf": [next]})));
    assert!(schema.violation("1", "it").is_some());
    assert_eq!(schema.violation("\"x\"", "it"), None);
    refused(&chain(511, |next| next));
    refused(&chain(600, |next| json!({"properties": {"a": next}})));
    taken(&chain(511, |next| json!({"properties": {"a": next}})));
}

#[test]
fn patterns_match_in_linear_time_or_are_refused() {
    let schema = taken(&json!({"type": "string", "pattern": "^(a+)+$"}));
    let text = format!("\"{}b\"", "a".repeat(50_000));
    assert!(schema.violation(&text, "it").is_some());
    refused(&json!({"pattern": "(a)\\1"}));
    refused(&json!({"pattern": "((\\w{100}){100}){100}"}));
    let many = (0..65).map(|at| (format!("p{at}"), json!({"pattern": "a"})));
    let told = refused(&json!({"properties": many.collect::<serde_json::Map<_, _>>()}));
    assert!(told.contains("patterns"), "{told}");
}

#[test]
fn schemas_too_long_or_too_deep_are_refused() {
    let told = refused(&json!({"description": "x".repeat(300_000)}));
    assert!(told.contains("bytes long"), "{told}");
    let deep = r#"{"items":"#.repeat(200) + "{}" + &"}".repeat(200);
    assert!(Compiled::of(&deep).is_err());
}

#[test]
fn a_long_answer_of_ordinary_form_is_checked_whole() {
    let schema = taken(
        &json!({"type": "array", "items": {"$ref": "#/$defs/p%20q"}, "$defs": {"p q": {
        "type": "object", "properties": {"x": {"type": "integer"}, "y": {"enum": ["a", "b"]}},
        "required": ["x", "y"], "additionalProperties": false}}}),
    );
    let element = |y: &str| format!(r#"{{"x":1,"y":"{y}"}}"#);
    let mut elements = vec![element("a"); 20_000];
    assert_eq!(
        schema.violation(&format!("[{}]", elements.join(",")), "it"),
        None
    );
    elements[19_999] = element("c");
    let told = schema.violation(&format!("[{}]", elements.join(",")), "it");
    assert!(told.is_some_and(|told| told.contains("/19999/y")));
}

#[test]
fn a_schema_is_compiled_once_and_the_least_used_goes_first() {
    let text = r#"{"type":"object","title":"compiled once"}"#;
    let first = compiled(text).expect("a good schema");
    assert!(Arc::ptr_eq(&first, &compiled(text).expect("a good schema")));

    let mut recent = Recent::default();
    let name = |at: usize| format!(r#"{{"title":"{at}"}}"#);
    for at in 0..200 {
        recent.keep(&name(at), Arc::clone(&first));
        assert!(recent.find(&name(0)).is_some(), "used all the time");
    }
    assert_eq!(recent.size(), (128, 128 * first.weight_bytes()));
    assert!(recent.find(&name(1)).is_none() && recent.find(&name(199)).is_some());
}

#[test]
fn heavy_schemas_leave_room_for_few() {
    let patterns = (0..64).map(|at| (format!("p{at}"), json!({"pattern": "a"})));
    let heavy = json!({"properties": patterns.collect::<serde_json::Map<_, _>>()});
    let heavy = Arc::new(taken(&heavy));
    let mut recent = Recent::default();
    for at in 0..20 {
        recent.keep(&at.to_string(), Arc::clone(&heavy));
    }
    let (schemas, bytes) = recent.size();
    assert!((1..20).contains(&schemas) && bytes <= 32 << 20, "{schemas}");
}
