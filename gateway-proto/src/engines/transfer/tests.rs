use serde_json::{Value, json};

use super::*;

/// The body that `edit` makes of `body`.
fn edited(edit: &LegEdit, body: &Value) -> Value {
    let body = edit.apply(body.to_string().as_bytes()).expect("an object");
    serde_json::from_slice(&body).expect("JSON")
}

fn asked() -> Value {
    json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true, "min_tokens": 5,
        "stream_options": {"include_usage": true}, "max_tokens": 9, "max_completion_tokens": 8, "later": {"x": [1]},
    })
}

#[test]
fn nixl_asks_for_one_token_and_no_stream() {
    let body = edited(&nixl::prefill().for_text(true), &asked());
    assert_eq!(
        body,
        json!({
            "model": "m", "messages": [{"role": "user", "content": "hi"}], "later": {"x": [1]},
            "stream": false, "max_tokens": 1, "max_completion_tokens": 1,
            "kv_transfer_params": {
                "do_remote_decode": true, "do_remote_prefill": false, "remote_engine_id": null,
                "remote_block_ids": null, "remote_host": null, "remote_port": null,
            },
        })
    );
    let completion = edited(&nixl::prefill().for_text(false), &json!({"prompt": "x"}));
    assert_eq!(completion.get("max_completion_tokens"), None);
    assert!(nixl::prefill().is_one_token());
}

#[test]
fn nixl_hands_over_what_it_was_given_to_the_byte() {
    let params = r#"{"do_remote_prefill":true, "remote_block_ids":[[1,2],[3]],"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":5600,"tp_size":2,"of_tomorrow":{"a":1.50}}"#;
    let answer = format!(r#"{{"choices":[],"kv_transfer_params":{params}}}"#);
    let edit = nixl::decode(answer.as_bytes()).expect("handed over");
    let body = edit.apply(br#"{"stream":true}"#).expect("an object");
    let expected = format!(r#"{{"stream":true,"kv_transfer_params":{params}}}"#);
    assert_eq!(std::str::from_utf8(&body).expect("text"), expected);
}

#[test]
fn mooncakes_decode_leg_finds_a_prefill_engine_by_any_kind_of_address() {
    let peer = mooncake::Peer {
        engine_id: "e".to_owned(),
        rank: None,
    };
    for (host, shown) in [
        ("10.0.0.7", "10.0.0.7"),
        ("p.example", "p.example"),
        ("fd00::7", "[fd00::7]"),
    ] {
        let leg = edited(&mooncake::decode("t", &peer, host, 8998), &json!({}));
        let told = &leg["kv_transfer_params"]["remote_bootstrap_addr"];
        assert_eq!(told, &json!(format!("http://{shown}:8998")));
    }
}

#[test]
fn what_a_decode_engine_would_drop_in_silence_is_no_hand_over() {
    let whole = json!({"do_remote_prefill": true, "remote_engine_id": "e", "remote_host": "h", "remote_port": 1});
    let decode = |params: &Value| {
        let answer = json!({"kv_transfer_params": params}).to_string();
        nixl::decode(answer.as_bytes()).is_some()
    };
    assert!(decode(&whole));
    for key in [
        "do_remote_prefill",
        "remote_engine_id",
        "remote_host",
        "remote_port",
    ] {
        let mut less = whole.clone();
        less.as_object_mut().expect("an object").remove(key);
        assert!(!decode(&less), "without {key}");
        less[key] = Value::Null;
        assert!(!decode(&less), "{key} is null");
    }
    // What vLLM says since 0.14 it says with the request's id, which it needs.
    let mut of_today = whole.clone();
    of_today["transfer_mode"] = json!("pull");
    assert!(!decode(&of_today));
    of_today["remote_request_id"] = Value::Null;
    assert!(!decode(&of_today));
    of_today["remote_request_id"] = json!("r");
    assert!(decode(&of_today));
    for nothing in [
        &b"{}"[..],
        b"[]",
        b"nonsense",
        br#"{"kv_transfer_params":null}"#,
    ] {
        assert!(nixl::decode(nothing).is_none());
    }
}

#[test]
fn mooncakes_legs_name_each_other() {
    let one = br#"{"0":{"engine_id":"e-7","worker_addr":"x"}}"#;
    let peer = mooncake::peer(one, None, 7).expect("one engine");
    assert_eq!((&*peer.engine_id, peer.rank), ("e-7", None));
    let prefill = mooncake::prefill("t-1", &peer);
    assert!(prefill.headers().is_empty());
    let prefill = edited(&prefill, &json!({}));
    assert_eq!(
        prefill["kv_transfer_params"],
        json!({"do_remote_decode": true, "do_remote_prefill": false, "transfer_id": "t-1"})
    );
    let decode = edited(&mooncake::decode("t-1", &peer, "p", 8998), &json!({}));
    assert_eq!(
        decode["kv_transfer_params"],
        json!({
            "do_remote_decode": false, "do_remote_prefill": true, "transfer_id": "t-1",
            "remote_bootstrap_addr": "http://p:8998", "remote_engine_id": "e-7",
        })
    );
    let two = br#"{"1":{"engine_id":"b"},"0":{"engine_id":"a"}}"#;
    let peer = mooncake::peer(two, None, 4).expect("two engines");
    let headers = mooncake::prefill("t", &peer).headers().to_vec();
    assert_eq!(headers, [("x-data-parallel-rank", "0".to_owned())]);
    for nothing in [&b"{}"[..], b"["] {
        assert_eq!(mooncake::peer(nothing, None, 1), None);
        assert_eq!(mooncake::peer(nothing, Some(0), 1), None);
    }
}

#[test]
fn mooncakes_ranks_are_those_asked_for_or_take_turns() {
    let three = br#"{"0":{"engine_id":"a"},"1":{"engine_id":"b"},"3":{"engine_id":"d"}}"#;
    let peer = |rank, transfer| mooncake::peer(three, rank, transfer);
    let id = |rank, transfer| peer(rank, transfer).map(|peer| (peer.engine_id, peer.rank));
    for (rank, name) in [(0, "a"), (1, "b"), (3, "d")] {
        for transfer in 0..4 {
            let found = Some((name.to_owned(), Some(rank)));
            assert_eq!(id(Some(rank), transfer), found);
        }
    }
    assert_eq!(peer(Some(2), 0), None, "no such rank");
    let turns: Vec<_> = (0..6).filter_map(|transfer| id(None, transfer)).collect();
    let ranks: Vec<_> = turns.iter().map(|(_, rank)| *rank).collect();
    assert_eq!(ranks, [0, 1, 3, 0, 1, 3].map(Some));
}

#[test]
fn sglangs_decode_leg_names_the_rank_that_prefills() {
    let named = edited(&sglang::decode("p", 8998, 5, Some(3)), &json!({}));
    assert_eq!(
        named,
        json!({
            "bootstrap_host": "p", "bootstrap_port": 8998, "bootstrap_room": 5, "disagg_prefill_dp_rank": 3,
        })
    );
    let unnamed = edited(&sglang::decode("p", 8998, 5, None), &json!({}));
    assert_eq!(unnamed.get("disagg_prefill_dp_rank"), None);
}

#[test]
fn a_room_lies_at_its_rank_and_stays_a_room() {
    for room in [0, 1, 7, 1 << 40, sglang::ROOMS - 1, sglang::ROOMS, u64::MAX] {
        for ranks in [1_u32, 2, 3, 64, u32::MAX] {
            for rank in [0, 1, ranks / 2, ranks - 1] {
                let aligned = sglang::room_at(room, rank, ranks);
                // A rank that was not counted is there all the same.
                let ranks = u64::from(ranks.max(rank.saturating_add(1)));
                let shown = format!("{room} of rank {rank} of {ranks}");
                assert_eq!(aligned % ranks, u64::from(rank), "{shown}");
                assert!(aligned <= sglang::ROOMS, "{shown}");
                assert!(aligned.abs_diff(room & sglang::ROOMS) < ranks, "{shown}");
            }
        }
    }
}

#[test]
fn sglangs_legs_say_the_same() {
    let asked = json!({"bootstrap_room": 1, "stream": true, "stream_options": {}});
    let mut expected = json!({
        "stream": true, "stream_options": {}, "bootstrap_host": "p", "bootstrap_port": 8998,
        "bootstrap_room": 9_223_372_036_854_775_807_u64,
    });
    let decode = sglang::decode("p", 8998, u64::MAX, None);
    assert_eq!(edited(&decode, &asked), expected);
    // But for how prefill tells how it went.
    expected["stream"] = json!(false);
    expected
        .as_object_mut()
        .expect("an object")
        .remove("stream_options");
    let prefill = sglang::prefill("p", 8998, u64::MAX);
    assert_eq!(edited(&prefill, &asked), expected);
    assert!(sglang::blames_transfer("Decode transfer failed for rid"));
    assert!(!sglang::blames_transfer("CUDA out of memory"));
}

#[test]
fn a_member_that_the_caller_gave_twice_is_replaced_for_good() {
    let body = br#"{"bootstrap_room":1,"x":0,"bootstrap_room":2}"#;
    let body = sglang::prefill("p", 1, 7).apply(body).expect("an object");
    let text = std::str::from_utf8(&body).expect("text");
    assert_eq!(text.matches("bootstrap_room").count(), 1);
    assert!(sglang::prefill("p", 1, 7).apply(b"[1]").is_err());
}

#[test]
fn trtllms_decode_leg_goes_on_from_ids() {
    let body = edited(&trtllm::prefill(3), &asked());
    assert_eq!(
        body["disaggregated_params"],
        json!({"request_type": "context_only", "disagg_request_id": 3})
    );
    assert_eq!(
        (&body["stream"], &body["max_tokens"]),
        (&json!(false), &json!(9))
    );
    let answer = |finish: Value| {
        let choice = json!({"finish_reason": finish, "disaggregated_params": {
            "request_type": "context_only", "ctx_request_id": 5, "first_gen_tokens": [9], "of_tomorrow": 1,
        }});
        json!({"choices": [choice], "prompt_token_ids": [1, 2]}).to_string()
    };
    let trtllm::Answered::HandedOver(edit) =
        trtllm::answered(answer(json!("length")).as_bytes(), true)
    else {
        panic!("handed over");
    };
    let body = edited(&edit, &json!({"messages": []}));
    assert_eq!(
        body,
        json!({
            "messages": [], "prompt_token_ids": [1, 2], "disaggregated_params": {
                "request_type": "generation_only", "ctx_request_id": 5, "first_gen_tokens": [9], "of_tomorrow": 1,
            },
        })
    );
    let finished = trtllm::answered(answer(json!("stop")).as_bytes(), true);
    assert!(matches!(finished, trtllm::Answered::Finished));
    for nothing in ["{}", "[", r#"{"choices":[{"finish_reason":"length"}]}"#] {
        let answered = trtllm::answered(nothing.as_bytes(), true);
        assert!(matches!(answered, trtllm::Answered::Nothing), "{nothing}");
    }
}

#[test]
fn a_whole_answer_becomes_one_chunk() {
    let chat = json!({
        "id": "c", "object": "chat.completion", "choices": [{
            "index": 0, "message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop",
            "disaggregated_params": {"x": 1},
        }], "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    });
    let events = as_stream(chat.to_string().as_bytes()).expect("a reply");
    let text = std::str::from_utf8(&events).expect("text");
    let chunk = text
        .strip_prefix("data: ")
        .and_then(|rest| rest.strip_suffix("\n\ndata: [DONE]\n\n"))
        .expect("one chunk and the end");
    let chunk: Value = serde_json::from_str(chunk).expect("JSON");
    assert_eq!(
        chunk,
        json!({
            "id": "c", "object": "chat.completion.chunk", "choices": [{
                "index": 0, "delta": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop",
            }], "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        })
    );
    assert!(as_stream(b"{}").is_none() && as_stream(b"nonsense").is_none());
}
