use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const SMALL: Limits = Limits {
    id_bytes: 8,
    body_bytes: 40,
};

/// All that comes of `chunks`, errors as their words.
fn decoded(limits: Limits, chunks: &[&[u8]]) -> (Vec<Result<Message, DresultError>>, u64) {
    let mut decoder = Decoder::new(limits);
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        loop {
            match decoder.next_message() {
                Ok(None) => break,
                Ok(Some(message)) => out.push(Ok(message)),
                Err(error) => out.push(Err(error)),
            }
        }
    }
    (out, decoder.unknown())
}

fn part(id: &str, what: What, body: &'static str) -> Result<Message, DresultError> {
    Ok(Message::Part(Part {
        id: id.to_owned(),
        what,
        body: body.into(),
    }))
}

/// What an engine says, with everything in it that there is.
const SAID: &[u8] = b"reqId:a1\0data:data: {\"x\":1}\n\n\0ka:heartbeat\0reqId:b2\0lastData:{\"y\":\":\"}\0\0\
    reqId:a1\0retry:{\"again\":1}\0reqId:c\0error:Pull kv failed reversibly.\0reqId:d\0later:what\0\
    reqId:0xff\0close:bye\0data:lost\0nonsense\0reqId:123456789\0data:x\0reqId:e\0data:\0reqId:f\0da";

fn expected() -> Vec<Result<Message, DresultError>> {
    vec![
        part("a1", What::Data, "data: {\"x\":1}\n\n"),
        Ok(Message::Heartbeat),
        part("b2", What::Last, "{\"y\":\":\"}"),
        part("a1", What::Retry, "{\"again\":1}"),
        part("c", What::Error, "Pull kv failed reversibly."),
        Ok(Message::Close),
        Err(DresultError::NoRequest),
        Err(DresultError::NoWord),
        Err(DresultError::BadId),
        part("e", What::Data, ""),
    ]
}

#[test]
fn every_split_gives_the_same_messages() {
    for at in 0..=SAID.len() {
        let (first, second) = SAID.split_at(at);
        let split = decoded(SMALL, &[first, second]);
        assert_eq!(split, (expected(), 1), "split at {at}");
    }
    let bytes: Vec<_> = SAID.chunks(1).collect();
    assert_eq!(decoded(SMALL, &bytes), (expected(), 1));
}

#[test]
fn a_field_without_an_end_is_the_end() {
    let long = [b"data:".as_slice(), &[b'x'; 60]].concat();
    for bytes in [long.clone(), [long, b"\0ka:\0".to_vec()].concat()] {
        let (out, _) = decoded(SMALL, &[&bytes, b"\0ka:\0"]);
        let error = DresultError::TooLong { limit_bytes: 40 };
        assert_eq!(out, [Err(error)]);
        assert!(error.is_fatal());
    }
    assert!(!DresultError::NoWord.is_fatal());
}

/// The obvious reading of bytes that are all there, of fields within the limits.
fn oracle(bytes: &[u8]) -> Vec<Result<Message, DresultError>> {
    let text = std::str::from_utf8(bytes).expect("the strategy makes text");
    let mut fields: Vec<&str> = text.split('\0').collect();
    fields.pop();
    let (mut out, mut id) = (Vec::new(), None);
    for field in fields.into_iter().filter(|field| !field.is_empty()) {
        let Some((word, body)) = field.split_once(':') else {
            out.push(Err(DresultError::NoWord));
            continue;
        };
        let what = match word {
            "reqId" => {
                id = Some(body.to_owned());
                continue;
            }
            "ka" => {
                out.push(Ok(Message::Heartbeat));
                continue;
            }
            "data" => Some(What::Data),
            "lastData" => Some(What::Last),
            "error" => Some(What::Error),
            "retry" => Some(What::Retry),
            "close" => {
                out.push(Ok(Message::Close));
                None
            }
            _ => None,
        };
        let named = id.take();
        let Some(what) = what else { continue };
        out.push(match named {
            None => Err(DresultError::NoRequest),
            Some(id) if id.is_empty() || id.len() > SMALL.id_bytes => Err(DresultError::BadId),
            Some(id) => Ok(Message::Part(Part {
                id,
                what,
                body: body.to_owned().into(),
            })),
        });
    }
    out
}

proptest! {
    #[test]
    fn any_fields_in_any_split_are_read_as_the_oracle_reads_them(
        fields in vec("(reqId:|data:|lastData:|error:|retry:|ka:|close:|new:|)[a-f:\u{e9}]{0,10}", 0..20),
        ends in vec(Just("\0"), 20),
        size in 1_usize..9,
    ) {
        let bytes: String = fields.iter().zip(ends).flat_map(|(field, end)| [field.as_str(), end]).collect();
        let chunks: Vec<_> = bytes.as_bytes().chunks(size).collect();
        prop_assert_eq!(decoded(SMALL, &chunks).0, oracle(bytes.as_bytes()));
    }
}

#[test]
fn the_prefill_leg_says_everything_in_headers() {
    let target = Target {
        host: [10, 0, 0, 7].into(),
        port: Some(1121),
    };
    let edit = prefill("1f", target);
    let mut headers = vec![
        ("req-type", "prefill".to_owned()),
        ("req-id", "1f".to_owned()),
        ("d-target", "10.0.0.7;1121".to_owned()),
    ];
    assert_eq!(edit.headers(), headers);
    let body = br#"{"model":"m","stream":true,"max_tokens":9}"#;
    assert_eq!(*edit.apply(body).expect("an object"), *body);
    assert!(!edit.is_one_token());
    let again = recompute(
        "1f",
        Target {
            port: None,
            ..target
        },
        "{\"z\":1}".into(),
    );
    headers[2].1 = "10.0.0.7".to_owned();
    headers.push(("is-recompute", "true".to_owned()));
    assert_eq!(again.headers(), headers);
    let again = again.for_text(true).apply(body).expect("an object");
    assert_eq!(*again, *b"{\"z\":1}");
}

#[test]
fn answers_of_prefill_engines() {
    let read = |answer: serde_json::Value| answered(answer.to_string().as_bytes(), "a1");
    let of = |first: &'static str, is_last| {
        Some(Answered {
            first: first.into(),
            is_last,
        })
    };
    let streamed =
        json!({"reqId": "a1", "isStream": true, "isLastResp": false, "output": "data: {}\n\n"});
    assert_eq!(read(streamed), of("data: {}\n\n", false));
    let whole = json!({"reqId": "a1", "isStream": false});
    assert_eq!(read(whole), of("", false));
    let over = json!({"reqId": "a1", "isStream": false, "isLastResp": true, "output": "{}"});
    assert_eq!(read(over), of("{}", true));
    for none in [
        json!({"reqId": "b2", "isStream": false}),
        json!({"reqId": "a1", "isStream": true, "isLastResp": false}),
        json!({"reqId": "a1", "isStream": false, "isLastResp": true}),
        json!({"choices": []}),
    ] {
        assert_eq!(read(none.clone()), None, "{none}");
    }
    assert_eq!(answered(b"nonsense", "a1"), None);
}

#[test]
fn what_engines_say_of_each_other() {
    assert!(blames_transfer("Pull kv failed irreversibly."));
    assert!(blames_transfer("[P Node] Send D request failed: 14"));
    assert!(!blames_transfer("Failed forward in for infer engine."));
    assert_eq!(
        stop_path("qwen2.5-7b_x").as_deref(),
        Some("/v2/models/qwen2.5-7b_x/stopInfer")
    );
    for model in ["", "a/b", "m?x", "mö"] {
        assert_eq!(stop_path(model), None, "{model}");
    }
}
