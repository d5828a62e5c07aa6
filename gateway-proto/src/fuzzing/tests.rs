//! The fuzz bodies over generated input: a shallow search on every test run.

use proptest::prelude::*;

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
        "\"([ a-z\u{e9}\u{4e16}]|\\\\[nt\"/\\\\]|\\\\u[0-9a-f]{4}){0,30}\"",
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::vec((key(), inner), 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("model"),
        Just("messages"),
        Just("prompt"),
        Just("stream"),
        Just("n"),
        Just("role"),
        Just("content"),
        Just("tools"),
        Just("stream_options"),
        Just("include_usage"),
        Just("usage"),
        Just("choices"),
        Just("delta"),
        Just("temperature"),
        Just("mod\\u0065l"),
        Just("tool_calls"),
        Just("function"),
        Just("name"),
        Just("type"),
    ]
    .prop_map(ToOwned::to_owned)
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A request that is nearly right, so that the search gets past the first check.
fn request() -> impl Strategy<Value = String> {
    let content = prop_oneof![json(), "\"[a-z\\\\\\\\n]{0,50}\""];
    (
        content,
        proptest::collection::vec((key(), json()), 0..3),
        any::<bool>(),
    )
        .prop_map(|(content, more, stream)| {
            let mut members = vec![
                ("model".to_owned(), "\"m\"".to_owned()),
                (
                    "messages".to_owned(),
                    format!("[{{\"role\":\"user\",\"content\":{content}}}]"),
                ),
                ("prompt".to_owned(), content),
                ("stream".to_owned(), stream.to_string()),
            ];
            members.extend(more);
            object(&members)
        })
}

proptest! {
    #[test]
    fn requests(text in prop_oneof![request(), json()]) {
        super::chat(text.as_bytes());
    }

    #[test]
    fn damaged_requests(text in request(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        super::chat(&bytes);
    }

    #[test]
    fn streams(lines in proptest::collection::vec("(data:|event:|id:|: )?[ -~]{0,20}(\n|\r\n|\r|\n\n|\r\n\r\n)", 0..12)) {
        super::sse(lines.concat().as_bytes());
    }

    #[test]
    fn pages(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        super::prometheus(&bytes);
    }

    #[test]
    fn token_streams(lines in proptest::collection::vec(token_event(), 0..8)) {
        super::engine_tokens(lines.concat().as_bytes());
    }

    #[test]
    fn dresult(fields in proptest::collection::vec("(reqId:|data:|lastData:|ka:|close:|x:|)[a-z{}\":\\x00]{0,90}", 0..12)) {
        super::dresult(fields.join("\0").as_bytes());
    }

    #[test]
    fn events(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        super::kv_events(&bytes);
    }

    #[test]
    fn damaged_events(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
        let mut bytes = EVENTS.to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        super::kv_events(&bytes);
    }
}

/// An event that is nearly right on some wire.
fn token_event() -> impl Strategy<Value = String> {
    let ids = proptest::collection::vec(0_u32..9, 0..4);
    let finish = prop_oneof![
        Just("null"),
        Just("\"stop\""),
        Just("\"length\""),
        Just("{\"type\":\"stop\",\"matched\":7}"),
        Just("\"abort\""),
    ];
    (ids, 0_u32..3, finish, 0_u32..6, json()).prop_map(|(ids, choice, finish, count, more)| {
        format!(
            "data: {{\"choices\":[{{\"index\":{choice},\"token_ids\":{ids:?},\"finish_reason\":{finish},\"logprobs\":{more}}}],\
             \"index\":{choice},\"output_ids\":{ids:?},\"token\":{{\"id\":{ids:?}}},\
             \"meta_info\":{{\"completion_tokens\":{count},\"finish_reason\":{finish}}}}}\n\n"
        )
    })
}

/// Two stores, the second behind the first, and a removal.
const EVENTS: &[u8] = b"\x92\xc0\x93\
    \x97\xabBlockStored\x92\x01\x02\xc0\x94\x05\x06\x07\x08\x02\xc0\xa3GPU\
    \x97\xabBlockStored\x91\x03\x02\x92\x09\x0a\x02\xc0\xa3CPU\
    \x93\xacBlockRemoved\x91\x01\xa3GPU";
