//! Streams as engines sent them, and made up after their sources where there is no recording.

use super::*;
use crate::ir::{LogprobsAsked, Usage};

const LENGTH: Option<TokenFinish> = Some(TokenFinish::Length);

fn call() -> TokenCall {
    TokenCall::new("m", [9707, 11, 9273, 0].as_slice(), 16)
}

/// Reads whole and in every size of chunks; the events and the end must be the same.
fn read_always(wire: TokenWire, call: &TokenCall, stream: &str) -> (Read, Option<Usage>) {
    let (whole, reader) = read_split(wire, call, stream.as_bytes(), usize::MAX);
    for size in 1..stream.len().min(700) {
        let (split, other) = read_split(wire, call, stream.as_bytes(), size);
        assert_eq!(split, whole, "{wire:?} in chunks of {size}");
        assert_eq!(other.usage(), reader.usage());
    }
    (whole, reader.usage())
}

fn used(prompt_tokens: u64, completion_tokens: u64, cached_tokens: Option<u64>) -> Option<Usage> {
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        cached_tokens,
        reasoning_tokens: None,
    })
}

/// Data lines of a stream.
fn stream(events: &[&str]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}

#[test]
fn vllm_generate_as_recorded() {
    let recorded = reply_body(include_str!("../../../testdata/vllm/generate_stream.txt"));
    let ((events, end), usage) = read_always(TokenWire::VllmGenerate, &call(), recorded);
    let expected = [
        event(0, &[124_697], None),
        event(0, &[0], None),
        event(0, &[124_697], None),
        event(0, &[0], LENGTH),
    ];
    assert_eq!((events.as_slice(), end), (expected.as_slice(), Ok(())));
    assert_eq!(usage, used(4, 4, Some(0)));
}

#[test]
fn completions_as_recorded() {
    let recorded = include_str!("../../../testdata/vllm/completion_stream_token_ids.txt");
    let ((events, end), usage) =
        read_always(TokenWire::VllmCompletions, &call(), reply_body(recorded));
    let ids: Vec<u32> = events.iter().flat_map(|event| event.ids.clone()).collect();
    assert_eq!(ids, [135_378, 26_798, 135_378, 26_798, 135_378]);
    let endings: Vec<_> = events.iter().map(|event| event.finish.clone()).collect();
    assert_eq!(endings, [None, None, None, None, LENGTH]);
    assert_eq!((end, usage), (Ok(()), used(4, 5, Some(0))));
}

#[test]
fn text_without_ids_is_refused_at_once() {
    let recorded = include_str!("../../../testdata/llamacpp/completion_stream.txt");
    let (read, _) = read_always(TokenWire::OpenAiCompletions, &call(), reply_body(recorded));
    assert_eq!(read, (Vec::new(), Err(TokenFault::NoTokenIds)));
}

#[test]
fn sglang_as_recorded() {
    let recorded = include_str!("../../../testdata/sglang/generate_ids_stream.txt");
    let ((events, end), usage) =
        read_always(TokenWire::SglangGenerate, &call(), reply_body(recorded));
    let expected = [
        event(0, &[124_697], None),
        event(0, &[0], None),
        event(0, &[124_697], None),
        event(0, &[0], LENGTH),
    ];
    assert_eq!((events.as_slice(), end), (expected.as_slice(), Ok(())));
    assert_eq!(usage, used(4, 4, Some(0)));
}

/// Both ways of streaming give the same, with two choices in turn.
#[test]
fn sglang_cumulative_and_incremental_are_one() {
    let part = |index: u32, ids: &str, count: u32, finish: &str| {
        format!(
            r#"{{"output_ids":[{ids}],"index":{index},"meta_info":{{"finish_reason":{finish},"completion_tokens":{count}}}}}"#
        )
    };
    let stop = r#"{"type":"stop","matched":7}"#;
    let length = r#"{"type":"length","length":3}"#;
    let read = |parts: [String; 5]| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let mut call = call();
        call.sampling.n = Some(2);
        call.sampling.stop_token_ids = vec![7];
        let text = stream(&parts) + "data: [DONE]\n\n";
        read_always(TokenWire::SglangGenerate, &call, &text)
    };
    let cumulative = read([
        part(0, "1,2", 2, "null"),
        part(1, "4", 1, "null"),
        part(1, "4,5", 2, "null"),
        part(0, "1,2,7", 3, stop),
        part(1, "4,5,6", 3, length),
    ]);
    let incremental = read([
        part(0, "1,2", 2, "null"),
        part(1, "4", 1, "null"),
        part(1, "5", 2, "null"),
        part(0, "7", 3, stop),
        part(1, "6", 3, length),
    ]);
    assert_eq!(cumulative, incremental);
    let expected = [
        event(0, &[1, 2], None),
        event(1, &[4], None),
        event(1, &[5], None),
        event(0, &[7], Some(TokenFinish::Stop { token: Some(7) })),
        event(1, &[6], LENGTH),
    ];
    let ((events, end), usage) = cumulative;
    assert_eq!((events.as_slice(), end), (expected.as_slice(), Ok(())));
    assert_eq!(usage, used(4, 6, None));
}

/// The lists are those of a recorded whole answer, as a stream grows them.
#[test]
fn sglang_log_probabilities_are_those_of_the_new_tokens() {
    let recorded = reply_body(include_str!(
        "../../../testdata/sglang/generate_logprobs.txt"
    ));
    let whole: serde_json::Value = serde_json::from_str(recorded).expect("JSON");
    let mut first = whole.clone();
    first["output_ids"] = serde_json::json!([124_697]);
    first["meta_info"]["completion_tokens"] = 1.into();
    first["meta_info"]["finish_reason"] = serde_json::Value::Null;
    for list in ["output_token_logprobs", "output_top_logprobs"] {
        let one = first["meta_info"][list][0].clone();
        first["meta_info"][list] = serde_json::json!([one]);
    }
    let call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 2 }),
        ..call()
    };
    let text = stream(&[&first.to_string(), &whole.to_string(), "[DONE]"]);
    let ((events, end), _) = read_always(TokenWire::SglangGenerate, &call, &text);
    assert_eq!(end, Ok(()));
    let told: Vec<_> = events.iter().flat_map(|event| &event.logprobs).collect();
    assert_eq!(told.len(), 2);
    let expected = IdLogprob {
        id: 0,
        logprob: -11.931_214_332_580_566,
        top: vec![
            (0, -11.931_214_332_580_566),
            (66_458, -11.931_217_193_603_516),
        ],
    };
    assert_eq!(told[1], &expected);
}

/// The last event of a long answer with many log probabilities is longer than events of other wires may be.
#[test]
fn sglang_events_may_be_as_long_as_the_call_makes_them() {
    const TOKENS: usize = 4_000;
    let entry = "[-11.931217193603516,151645,null]";
    let all = |element: &str| vec![element; TOKENS].join(",");
    let whole = format!(
        r#"{{"output_ids":[{ids}],"meta_info":{{"finish_reason":{{"type":"length","length":{TOKENS}}},"completion_tokens":{TOKENS},"output_token_logprobs":[{logprobs}],"output_top_logprobs":[{tops}]}}}}"#,
        ids = all("151645"),
        logprobs = all(entry),
        tops = all(&format!("[{}]", vec![entry; 20].join(","))),
    );
    let call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 20 }),
        ..TokenCall::new("m", [1].as_slice(), TOKENS as u64)
    };
    assert!(whole.len() > Limits::default().event_bytes);
    let text = stream(&[&whole, "[DONE]"]);
    let (events, end) = read_whole(TokenWire::SglangGenerate, &call, &text);
    assert_eq!((events[0].logprobs.len(), end), (TOKENS, Ok(())));

    let brief = TokenCall::new("m", [1].as_slice(), 10);
    let (_, end) = read_whole(TokenWire::SglangGenerate, &brief, &text);
    assert!(matches!(end, Err(TokenFault::Oversized { .. })));
}

/// Log probabilities in both ways of streaming; a list that is no list is no answer.
#[test]
fn sglang_log_probabilities_come_whole_or_in_parts() {
    let part = |ids: &str, logprobs: &str, count: u32| {
        format!(
            r#"{{"output_ids":{ids},"meta_info":{{"completion_tokens":{count},"finish_reason":null,"output_token_logprobs":{logprobs}}}}}"#
        )
    };
    let call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 0 }),
        ..call()
    };
    let first = part("[1]", r#"[[-1.0,1,"a,]"]]"#, 1);
    for second in [
        part("[1,2]", r#"[[-1.0,1,"a,]"],[-2.0,2,"[b"]]"#, 2),
        part("[2]", r#"[[-2.0,2,"[b"]]"#, 2),
    ] {
        let ((events, _), _) = read_always(
            TokenWire::SglangGenerate,
            &call,
            &stream(&[&first, &second]),
        );
        let told: Vec<_> = events.iter().flat_map(|event| &event.logprobs).collect();
        let told: Vec<_> = told.iter().map(|told| (told.id, told.logprob)).collect();
        assert_eq!(told, [(1, -1.0), (2, -2.0)]);
    }
    for broken in [
        part("{}", "null", 1),
        part("[1]", "[7]", 1),
        part("[-1]", "null", 1),
    ] {
        let ((_, end), _) = read_always(TokenWire::SglangGenerate, &call, &stream(&[&broken]));
        assert_eq!(end, Err(TokenFault::Malformed), "{broken}");
    }
}

#[test]
fn log_probabilities_of_vllm_keep_their_ids() {
    let call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 1 }),
        ..call()
    };
    // The sampled token comes first, though another one was likelier.
    let generate = stream(&[
        r#"{"choices":[{"index":0,"token_ids":[5],"finish_reason":"length","logprobs":{"content":[{"token_id":5,"logprob":-2.5,"rank":2,"top_logprobs":[{"token_id":5,"logprob":-2.5},{"token_id":8,"logprob":-0.5}]}]}}]}"#,
    ]);
    let completions = stream(&[
        r#"{"choices":[{"index":0,"text":"x","token_ids":[5],"finish_reason":"length","logprobs":{"tokens":["token_id:5"],"token_logprobs":[-2.5],"top_logprobs":[{"token_id:5":-2.5,"token_id:8":-0.5}],"text_offset":[0]}}]}"#,
    ]);
    let mut expected = event(0, &[5], LENGTH);
    expected.logprobs = vec![IdLogprob {
        id: 5,
        logprob: -2.5,
        top: vec![(8, -0.5)],
    }];
    for (wire, text) in [
        (TokenWire::VllmGenerate, generate),
        (TokenWire::VllmCompletions, completions),
    ] {
        let (read, _) = read_always(wire, &call, &text);
        assert_eq!(read, (vec![expected.clone()], Ok(())), "{wire:?}");
    }
}

/// After the API guide: the last event has the text and the details, and nothing says that it is the last.
#[test]
fn mindie_as_documented() {
    let text = stream(&[
        r#"{"prefill_time":31.2,"decode_time":null,"token":{"id":[5,6],"text":"ab"}}"#,
        r#"{"prefill_time":null,"decode_time":9.1,"token":{"id":7,"text":"c"}}"#,
        r#"{"prefill_time":null,"decode_time":9.0,"token":{"id":[8],"text":""},"generated_text":"abc","details":{"finish_reason":"eos_token","generated_tokens":4,"seed":1}}"#,
    ]);
    let ((events, end), usage) = read_always(TokenWire::MindieInferToken, &call(), &text);
    let expected = [
        event(0, &[5, 6], None),
        event(0, &[7], None),
        event(0, &[8], Some(TokenFinish::Stop { token: None })),
    ];
    assert_eq!((events.as_slice(), end), (expected.as_slice(), Ok(())));
    assert_eq!(usage, used(4, 4, None));
}

/// The route has no parameter for stop tokens, so the reader ends the answer there, in the middle of an event if need be.
#[test]
fn mindie_ends_at_a_stop_token() {
    let text = stream(&[
        r#"{"token":{"id":[5,6,7],"text":"abc"}}"#,
        r#"{"token":{"id":[8],"text":"d"}}"#,
    ]);
    let mut call = call();
    call.sampling.stop_token_ids = vec![6];
    let ((events, end), usage) = read_always(TokenWire::MindieInferToken, &call, &text);
    let expected = event(0, &[5, 6], Some(TokenFinish::Stop { token: Some(6) }));
    assert_eq!((events, end), (vec![expected], Ok(())));
    assert_eq!(usage, used(4, 2, None));
}

/// The last event of a recorded stream is a whole answer but for its tokens, which streams do not repeat.
#[test]
fn llamacpp_as_recorded() {
    let recorded = reply_body(include_str!(
        "../../../testdata/llamacpp/completion_native_stream.txt"
    ));
    let last = recorded.trim_end().rsplit("data: ").next().expect("events");
    let whole = last.replacen("\"tokens\":[]", "\"tokens\":[236764,993,691,496,2268]", 1);
    let ((events, end), usage) = read_always(TokenWire::LlamacppCompletion, &call(), &whole);
    let expected = event(0, &[236_764, 993, 691, 496, 2_268], LENGTH);
    assert_eq!((events, end), (vec![expected], Ok(())));
    assert_eq!(usage, used(5, 5, Some(1)));
}

/// The server writes each candidate with its text and bytes.
#[test]
fn llamacpp_with_many_log_probabilities_is_not_too_long() {
    let candidate = r#"{"id":151643,"token":"\u00e4\u00f6","bytes":[195,164,195,182],"logprob":-12.345678901234567}"#;
    let top = vec![candidate; 20].join(",");
    let position = format!(
        r#"{},"top_logprobs":[{top}]}}"#,
        candidate.trim_end_matches('}')
    );
    let tokens = 3_000;
    let text = format!(
        r#"{{"content":"","tokens":[{}],"stop":true,"stop_type":"limit","completion_probabilities":[{}]}}"#,
        vec!["7"; tokens].join(","),
        vec![position; tokens].join(",")
    );
    let call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 20 }),
        max_tokens: tokens as u64,
        ..call()
    };
    let limits = Limits::default();
    assert!(text.len() > limits.event_bytes);
    let mut reader = TokenReader::new(TokenWire::LlamacppCompletion, &call, limits);
    let mut events = Vec::new();
    for chunk in text.as_bytes().chunks(1 << 16) {
        reader.push(chunk, &mut events);
    }
    reader.finish(&mut events);
    assert_eq!(reader.end(), Some(Ok(())));
    assert_eq!(events[0].logprobs.len(), tokens);
}

/// After the server's documentation: log probabilities come by position, and a stop token is left to the reader.
#[test]
fn llamacpp_as_documented() {
    let wire = TokenWire::LlamacppCompletion;
    let text = r#"{"index":0,"content":"ab","tokens":[5,6,7],"stop":true,"stop_type":"limit","completion_probabilities":[{"id":5,"token":"a","logprob":-2.5,"top_logprobs":[{"id":5,"token":"a","logprob":-2.5},{"id":8,"token":"b","logprob":-0.5},{"id":9,"token":"c","logprob":null}]},{"id":6,"token":"b","logprob":-1},{"id":7,"token":"c","logprob":-1}]}"#;
    let mut call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 1 }),
        ..call()
    };
    let ((events, end), _) = read_always(wire, &call, text);
    let first = IdLogprob {
        id: 5,
        logprob: -2.5,
        top: vec![(8, -0.5)],
    };
    assert_eq!((&events[0].logprobs[0], end), (&first, Ok(())));
    call.sampling.stop_token_ids = vec![6];
    let text =
        r#"{"content":"ab","tokens":[5,6,7],"stop":true,"stop_type":"limit","tokens_predicted":3}"#;
    let ((events, end), usage) = read_always(wire, &call, text);
    let last = event(0, &[5, 6], Some(TokenFinish::Stop { token: Some(6) }));
    assert_eq!((events, end), (vec![last], Ok(())));
    assert_eq!(
        usage.map(|usage| usage.completion_tokens),
        Some(2),
        "up to the stop token"
    );
    for (word, finish) in [
        ("eos", TokenFinish::Stop { token: None }),
        ("word", TokenFinish::Stop { token: None }),
        ("new", TokenFinish::Other("new".to_owned())),
    ] {
        let text = format!(r#"{{"content":"a","tokens":[5],"stop":true,"stop_type":"{word}"}}"#);
        let (events, end) = read_whole(wire, &call, &text);
        assert_eq!(
            (events, end),
            (vec![event(0, &[5], Some(finish))], Ok(())),
            "{word}"
        );
    }
    let fault = |text: &str| read_always(wire, &call, text).0;
    let withdrawn = r#"{"content":"","tokens":[],"stop":true,"stop_type":"none"}"#;
    assert_eq!(fault(withdrawn), (Vec::new(), Err(TokenFault::Aborted)));
    let old = r#"{"content":"text of a server without ids","stop":true}"#;
    assert_eq!(fault(old), (Vec::new(), Err(TokenFault::NoTokenIds)));
    assert_eq!(fault(&text[..40]), (Vec::new(), Err(TokenFault::Truncated)));
    assert_eq!(fault(""), (Vec::new(), Err(TokenFault::Truncated)));
}

/// After `serve/openai_protocol.py`: every event has every member, the usage comes by itself.
#[test]
fn trtllm_as_its_source_says() {
    let part = |index: u32, ids: &str, finish: &str, reason: &str| {
        format!(
            r#"{{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{{"index":{index},"text":"","token_ids":[{ids}],"logprobs":{{"text_offset":[0],"token_logprobs":[-0.5],"tokens":["x"],"top_logprobs":[{{"x":-0.5}}]}},"finish_reason":{finish},"stop_reason":{reason},"avg_decoded_tokens_per_iter":1.0}}],"usage":null}}"#
        )
    };
    let parts = [
        part(0, "5", "null", "null"),
        part(1, "6", "null", "null"),
        part(0, "7", r#""stop""#, "7"),
        part(1, "8", r#""length""#, "null"),
        r#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":4,"total_tokens":8,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}"#.to_owned(),
        "[DONE]".to_owned(),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let mut call = TokenCall {
        logprobs: Some(LogprobsAsked { top: 0 }),
        ..call()
    };
    call.sampling.n = Some(2);
    call.sampling.stop_token_ids = vec![7];
    let ((events, end), usage) = read_always(TokenWire::TrtllmCompletions, &call, &stream(&parts));
    let endings: Vec<_> = events
        .iter()
        .map(|event| (event.choice, event.ids[0], event.finish.clone()))
        .collect();
    let expected = [
        (0, 5, None),
        (1, 6, None),
        (0, 7, Some(TokenFinish::Stop { token: Some(7) })),
        (1, 8, LENGTH),
    ];
    assert_eq!((endings.as_slice(), end), (expected.as_slice(), Ok(())));
    let told: Vec<_> = events
        .iter()
        .map(|event| event.logprobs[0].logprob)
        .collect();
    assert_eq!(told, [-0.5; 4]);
    assert_eq!(usage, used(4, 4, Some(2)));
    for word in ["cancelled", "timeout"] {
        let given_up = part(0, "5", &format!("{word:?}"), "null");
        let (_, end) = read_whole(TokenWire::TrtllmCompletions, &call, &stream(&[&given_up]));
        assert_eq!(end, Err(TokenFault::Aborted), "{word}");
    }
}

#[test]
fn a_stop_token_that_nobody_asked_for_is_the_models_own_end() {
    let text = stream(&[
        r#"{"choices":[{"index":0,"token_ids":[2],"finish_reason":"stop","stop_reason":2}]}"#,
    ]);
    let ((events, _), _) = read_always(TokenWire::VllmGenerate, &call(), &text);
    assert_eq!(events[0].finish, Some(TokenFinish::Stop { token: None }));
}

const ONE: &str = r#"{"choices":[{"index":0,"token_ids":[5]}],"output_ids":[5],"meta_info":{"completion_tokens":1},"token":{"id":[5]},"tokens":[5],"stop":false}"#;

/// After one good event, on every wire that has more than one.
fn ends_badly(next: &[&str], expected: impl Fn(&TokenFault) -> bool) {
    for wire in TokenWire::ALL.into_iter().filter(|wire| !wire.is_whole()) {
        let text = stream(&[&[ONE], next].concat());
        let ((events, end), _) = read_always(wire, &call(), &text);
        assert_eq!(events, [event(0, &[5], None)], "{wire:?}");
        let fault = end.expect_err("a bad end");
        assert!(expected(&fault), "{wire:?}: {fault:?}");
    }
}

#[test]
fn bad_ends_are_told_from_good_ones() {
    ends_badly(&[], |fault| *fault == TokenFault::Truncated);
    ends_badly(&["[DONE]"], |fault| *fault == TokenFault::Truncated);
    ends_badly(&["{\"choices\":7}"], |fault| {
        matches!(fault, TokenFault::Malformed | TokenFault::Truncated)
    });
    ends_badly(&["nonsense"], |fault| *fault == TokenFault::Malformed);
    let busy =
        |fault: &TokenFault| matches!(fault, TokenFault::Engine(told) if told.error.status == 503);
    ends_badly(
        &[r#"{"error":{"message":"full","code":503}}"#, "[DONE]"],
        busy,
    );
    ends_badly(&[r#"{"object":"error","message":"full","code":503}"#], busy);
    ends_badly(
        &[r#"{"error":"full","error_type":"overloaded"}"#],
        |fault| matches!(fault, TokenFault::Engine(_)),
    );
}

#[test]
fn an_abort_is_no_ending() {
    let vllm = stream(&[r#"{"choices":[{"index":0,"token_ids":[],"finish_reason":"abort"}]}"#]);
    let sglang = stream(&[r#"{"output_ids":[],"meta_info":{"finish_reason":{"type":"abort"}}}"#]);
    for (wire, text) in [
        (TokenWire::VllmGenerate, &vllm),
        (TokenWire::VllmCompletions, &vllm),
        (TokenWire::TrtllmCompletions, &vllm),
        (TokenWire::SglangGenerate, &sglang),
    ] {
        let (read, _) = read_always(wire, &call(), text);
        assert_eq!(read, (Vec::new(), Err(TokenFault::Aborted)), "{wire:?}");
    }
    let full = stream(&[
        r#"{"output_ids":[],"meta_info":{"finish_reason":{"type":"abort","message":"The request queue is full.","status_code":503}}}"#,
    ]);
    let (_, end) = read_whole(TokenWire::SglangGenerate, &call(), &full);
    let Err(TokenFault::Engine(fault)) = end else {
        panic!("{end:?}");
    };
    assert_eq!(fault.error.status, 503);
    assert_eq!(fault.error.message, "The request queue is full.");
}

#[test]
fn choices_nobody_asked_for_and_events_past_the_limit_end_the_stream() {
    let stray = stream(&[r#"{"choices":[{"index":1,"token_ids":[5]}]}"#]);
    let (read, _) = read_always(TokenWire::VllmGenerate, &call(), &stray);
    assert_eq!(read, (Vec::new(), Err(TokenFault::Malformed)));
    let limits = Limits { event_bytes: 16 };
    let mut reader = TokenReader::new(TokenWire::VllmGenerate, &call(), limits);
    reader.push(&[b'x'; 64], &mut Vec::new());
    let end = reader.end().expect("over");
    assert_eq!(end, Err(&TokenFault::Oversized { limit_bytes: 16 }));
}

#[test]
fn nothing_follows_the_end_of_a_choice() {
    let text = stream(&[
        r#"{"choices":[{"index":0,"token_ids":[5],"finish_reason":"length"}]}"#,
        r#"{"choices":[{"index":0,"token_ids":[6],"finish_reason":"stop"}]}"#,
        "[DONE]",
        r#"{"choices":[{"index":0,"token_ids":[7]}]}"#,
    ]);
    let (read, _) = read_always(TokenWire::VllmGenerate, &call(), &text);
    assert_eq!(read, (vec![event(0, &[5], LENGTH)], Ok(())));
}

#[test]
fn a_request_thrown_out_to_be_computed_again_is_told_apart_from_an_end() {
    let call = TokenCall::new("m", [1, 2].as_slice(), 8);
    let said = "{\"index\":0,\"text\":\"\",\"token_ids\":[7],\"finish_reason\":\"stop\",\"stop_reason\":\"recomputed\"}";
    let stream = format!("data: {{\"choices\":[{said}]}}\n\ndata: [DONE]\n\n");
    for wire in [TokenWire::VllmGenerate, TokenWire::VllmCompletions] {
        let (events, end) = read_whole(wire, &call, &stream);
        assert_eq!(events, [event(0, &[7], Some(TokenFinish::Recomputed))]);
        assert_eq!(end, Ok(()), "{wire:?}");
    }
    let own = stream.replace("\"recomputed\"", "7");
    let (events, _) = read_whole(TokenWire::VllmGenerate, &call, &own);
    let stop = TokenFinish::Stop { token: None };
    assert_eq!(
        events,
        [event(0, &[7], Some(stop))],
        "not a stop token of the call"
    );
}
