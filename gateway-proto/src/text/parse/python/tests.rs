use proptest::prelude::*;

use super::super::ahead::Miss;
use super::*;

/// The object, and what is left behind the call; in pushes that end at `splits`.
fn read(text: &str, splits: &[usize]) -> Result<(String, String), Miss> {
    let mut json = String::new();
    let mut arguments = Arguments::new(&mut json);
    let mut held = String::new();
    let mut from = 0;
    for &end in splits.iter().chain([&text.len()]) {
        held.push_str(&text[from..end]);
        from = end;
        loop {
            match arguments.step(&held, &mut json) {
                Ok(Took::Bytes(bytes)) => drop(held.drain(..bytes)),
                Ok(Took::Last(bytes)) => {
                    return Ok((json, held[bytes..].to_owned() + &text[from..]));
                }
                Err(Miss::More) => break,
                Err(Miss::Never) => return Err(Miss::Never),
            }
        }
    }
    Err(Miss::More)
}

fn whole(text: &str) -> Result<(String, String), Miss> {
    read(text, &[])
}

fn object(text: &str) -> String {
    whole(text)
        .unwrap_or_else(|miss| panic!("{text}: {miss:?}"))
        .0
}

#[test]
fn values_of_every_kind() {
    let json = object("a=1, b='x', c=[True, None, {'k': 2.5}], d=(), e={}, f=((1,), 'y',),)");
    assert_eq!(
        json,
        r#"{"a": 1, "b": "x", "c": [true, null, {"k": 2.5}], "d": [], "e": {}, "f": [[1], "y"]}"#
    );
    assert_eq!(object(")"), "{}");
    assert_eq!(object("\n a = 1 ,\n )"), r#"{"a": 1}"#);
}

#[test]
fn keys_as_json_dumps_writes_them() {
    assert_eq!(
        object("a={1: 2, True: 3, None: 4, 'k' : 5})"),
        r#"{"a": {"1": 2, "true": 3, "null": 4, "k": 5}}"#
    );
}

#[test]
fn strings_of_every_kind() {
    let cases = [
        (r#"'it\'s "so"'"#, "it's \"so\""),
        (r#""it's""#, "it's"),
        ("'''a'b\n'''", "a'b\n"),
        ("\"\"\"\"q\" \"\"\"", "\"q\" "),
        ("''", ""),
        (r"r'\d+\''", r"\d+\'"),
        (r"u'\d'", r"\d"),
        (
            r"'\x41\u00e9\U0001F600\101\0\7z\a\v'",
            "A\u{e9}\u{1f600}A\0\u{7}z\u{7}\u{b}",
        ),
        (
            r"'\xg1\u12\U99999999\N{DASH}'",
            r"\xg1\u12\U99999999\N{DASH}",
        ),
        ("'a\\\nb'", "ab"),
        ("'caf\u{e9} \u{1f600}\t'", "caf\u{e9} \u{1f600}\t"),
        (r"'\ud83d\ude00'", "\u{1f600}"),
    ];
    for (python, text) in cases {
        let json = object(&format!("s={python})"));
        let value: serde_json::Value = serde_json::from_str(&json).expect(&json);
        assert_eq!(value["s"], text, "{python}");
    }
}

#[test]
fn what_is_no_literal_never_becomes_one() {
    for text in [
        "1)",
        "a==1)",
        "a=)",
        "a=,)",
        "a=b)",
        "a=f(1))",
        "a=1+2)",
        "a=b'x')",
        "a={1, 2})",
        "a={1})",
        "a=[,])",
        "a=1]",
        "a=[1)",
        ",)",
        "a=1,,)",
        "a={[]: 1})",
        "a='x' 'y')",
        "a='it's')",
        "a=1e999)",
        "*a)",
        "1a=2)",
    ] {
        assert_eq!(whole(text), Err(Miss::Never), "{text}");
    }
}

#[test]
fn nesting_has_a_bound() {
    let nested = |depth| format!("a={}{})", "[".repeat(depth), "]".repeat(depth));
    assert!(whole(&nested(64)).is_ok());
    assert_eq!(whole(&nested(65)), Err(Miss::Never));
}

#[test]
fn strings_go_out_as_they_come() {
    let mut json = String::new();
    let mut arguments = Arguments::new(&mut json);
    let mut held = "a='so far\\".to_owned();
    while let Ok(Took::Bytes(bytes)) = arguments.step(&held, &mut json) {
        held.drain(..bytes);
    }
    assert_eq!((json.as_str(), held.as_str()), (r#"{"a": "so far"#, "\\"));
}

#[test]
fn the_end_of_a_broken_call_is_its_parenthesis() {
    let mut broken = Broken::new(2);
    assert_eq!(broken.close("x ')' \"\\\")\" [()] "), None);
    assert_eq!(broken.close("}), g()"), Some(1));
}

#[test]
fn one_literal() {
    assert_eq!(
        literal("{'a': [1, True]}").as_deref(),
        Some(r#"{"a": [1, true]}"#)
    );
    assert_eq!(literal(" None ").as_deref(), Some("null"));
    for text in ["", "1, 2", "1]", "{'a'", "a b", "'x"] {
        assert_eq!(literal(text), None, "{text}");
    }
}

fn python(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "None".into(),
        serde_json::Value::Bool(true) => "True".into(),
        serde_json::Value::Bool(false) => "False".into(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => quoted(text),
        serde_json::Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(python).collect::<Vec<_>>().join(",")
            )
        }
        serde_json::Value::Object(members) => {
            let member = |(key, value): (&String, _)| format!("{}: {}", quoted(key), python(value));
            format!(
                "{{{}}}",
                members.iter().map(member).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a'\"\\\\\n\u{e9}]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[a-z']{0,4}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back(value in value()) {
        let json = object(&format!("v={})", python(&value)));
        let read: serde_json::Value = serde_json::from_str(&json).expect(&json);
        prop_assert_eq!(&read["v"], &value);
    }

    #[test]
    fn splits_make_no_difference(text in "[a=1('\"\\\\,\\[\\]{}:)xu0 \u{e9}]{0,24}", at in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mut splits: Vec<usize> = at.iter().filter(|_| !places.is_empty()).map(|i| *i.get(&places)).collect();
        splits.sort_unstable();
        prop_assert_eq!(read(&text, &splits), whole(&text));
    }
}
