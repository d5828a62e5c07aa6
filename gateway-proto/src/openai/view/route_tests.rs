//! Bodies of the routes beside chat and completions.

use super::*;

fn read(api: Api, body: &str) -> Result<RequestView, RequestError> {
    RequestView::parse(api, body.as_bytes(), &ViewLimits::default())
}

/// Bodies, with the place and form of their prompt.
fn good_bodies() -> [(Api, &'static str, &'static str, PromptShape); 7] {
    let texts = |count| PromptShape::Texts { count };
    let ids = |count| PromptShape::TokenIds { count };
    let items = |count| PromptShape::Messages { count };
    [
        (
            Api::Messages,
            r#"{"model":"m","system":"s","messages":[{"role":"user","content":"a"}],"max_tokens":3}"#,
            r#"[{"role":"user","content":"a"}]"#,
            items(1),
        ),
        (
            Api::CountTokens,
            r#"{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[]}"#,
            r#"[{"role":"user","content":"a"}]"#,
            items(1),
        ),
        (
            Api::Responses,
            r#"{"model":"m","input": "hi","instructions":"s","text":{"format":{}}}"#,
            r#""hi""#,
            PromptShape::Text,
        ),
        (
            Api::Responses,
            r#"{"model":"m","input":[{},{}],"tools":[]}"#,
            "[{},{}]",
            items(2),
        ),
        (
            Api::Responses,
            r#"{"model":"m","previous_response_id":"r"}"#,
            "",
            items(0),
        ),
        (
            Api::Embeddings,
            r#"{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":8}"#,
            r#"["a","b"]"#,
            texts(2),
        ),
        (
            Api::Embeddings,
            r#"{"model":"m","input":[1,2]}"#,
            "[1,2]",
            ids(2),
        ),
    ]
}

/// Bodies that no model answers with text, or that hold tokens.
fn other_bodies() -> [(Api, &'static str, &'static str, PromptShape); 9] {
    let texts = |count| PromptShape::Texts { count };
    let ids = |count| PromptShape::TokenIds { count };
    let items = |count| PromptShape::Messages { count };
    [
        (
            Api::Rerank,
            r#"{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1}"#,
            r#"["a",{"text":"b"}]"#,
            texts(2),
        ),
        (
            Api::Score,
            r#"{"text_1":"q","text_2":["a","b"]}"#,
            r#"["a","b"]"#,
            texts(2),
        ),
        (
            Api::Score,
            r#"{"queries":["q"],"documents":"a"}"#,
            r#""a""#,
            PromptShape::Text,
        ),
        (
            Api::Tokenize,
            r#"{"prompt":"a"}"#,
            r#""a""#,
            PromptShape::Text,
        ),
        (
            Api::Tokenize,
            r#"{"messages":[{"role":"user"}],"tools":[{}]}"#,
            r#"[{"role":"user"}]"#,
            items(1),
        ),
        (Api::Detokenize, r#"{"tokens":[1,2,3]}"#, "[1,2,3]", ids(3)),
        (
            Api::Generate,
            r#"{"text":null,"input_ids":[7,8],"rid":["a"],"return_logprob":true}"#,
            "[7,8]",
            ids(2),
        ),
        (
            Api::Generate,
            r#"{"text":["a"],"sampling_params":[{"n":0}]}"#,
            r#"["a"]"#,
            texts(1),
        ),
        (
            Api::GenerateTokens,
            r#"{"token_ids":[1],"sampling_params":{}}"#,
            "[1]",
            ids(1),
        ),
    ]
}

#[test]
fn bodies_of_the_other_routes() {
    for (api, body, prompt, shape) in good_bodies().into_iter().chain(other_bodies()) {
        let view = read(api, body).expect(body);
        assert_eq!(view.prompt_span.of(body.as_bytes()), prompt.as_bytes());
        assert_eq!(view.shape, shape, "{body}");
        assert_eq!(
            view.prompt_size.exact,
            matches!(shape, PromptShape::TokenIds { .. })
        );
        let has_system = body.contains(r#""s""#);
        assert_eq!(view.system_span.is_some(), has_system, "{body}");
    }
}

#[test]
fn the_sampling_of_a_generate_body_counts() {
    let body = r#"{"input_ids":[7],"stream":true,"sampling_params":{"max_new_tokens":9,"n":2,"stop":["n"]}}"#;
    let view = read(Api::Generate, body).expect("valid");
    assert_eq!((view.max_tokens, view.n, view.stream), (Some(9), 2, true));
    assert_eq!((&*view.model, view.model_span.is_empty()), ("", true));
    assert_eq!(
        &view.splice_model(body.as_bytes(), "x")[..],
        body.as_bytes()
    );
}

#[test]
fn mistakes_on_the_other_routes_name_their_path() {
    for (api, body, path) in [
        (Api::Embeddings, r#"{"model":"m"}"#, "input"),
        (Api::Embeddings, r#"{"input":"a"}"#, "model"),
        (Api::Embeddings, r#"{"model":"m","input":[]}"#, "input"),
        (
            Api::Embeddings,
            r#"{"model":"m","input":["a",1]}"#,
            "input[1]",
        ),
        (
            Api::Embeddings,
            r#"{"model":"m","input":"a","dimensions":0}"#,
            "dimensions",
        ),
        (Api::Rerank, r#"{"documents":["a"]}"#, "query"),
        (Api::Rerank, r#"{"query":"q"}"#, "documents"),
        (
            Api::Rerank,
            r#"{"query":"q","documents":[7]}"#,
            "documents[0]",
        ),
        (Api::Rerank, r#"{"query":7,"documents":["a"]}"#, "query"),
        (Api::Score, r#"{"text_2":"a"}"#, "text_1"),
        (Api::Score, r#"{"text_1":"a"}"#, "text_2"),
        (Api::Score, r#"{"text_1":"a","text_2":[]}"#, "text_2"),
        (Api::Tokenize, "{}", "prompt"),
        (
            Api::Tokenize,
            r#"{"prompt":"a","messages":[{"role":"user"}]}"#,
            "messages",
        ),
        (Api::Detokenize, r#"{"tokens":["a"]}"#, "tokens"),
        (Api::Detokenize, r#"{"tokens":[-1]}"#, "tokens[0]"),
        (Api::Generate, r#"{"text":[1]}"#, "text"),
        (Api::Generate, r#"{"input_ids":"a"}"#, "input_ids"),
        (
            Api::Generate,
            r#"{"text":"a","input_ids":[1]}"#,
            "input_ids",
        ),
        (
            Api::Generate,
            r#"{"text":"a","sampling_params":7}"#,
            "sampling_params",
        ),
        (
            Api::Generate,
            r#"{"text":"a","sampling_params":{"n":0}}"#,
            "sampling_params.n",
        ),
        (Api::GenerateTokens, r#"{"token_ids":[[1]]}"#, "token_ids"),
        (Api::Responses, r#"{"model":"m","input":["a"]}"#, "input[0]"),
        (
            Api::Messages,
            r#"{"model":"m","system":7,"messages":[{"role":"user"}]}"#,
            "system",
        ),
    ] {
        assert_eq!(
            read(api, body).expect_err(body).param(),
            Some(path),
            "{body}"
        );
    }
}

#[test]
fn every_route_is_found_by_its_path() {
    for api in Api::ALL {
        assert_eq!(Api::from_path(api.path()), Some(api));
    }
    assert_eq!(Api::from_path("/rerank"), Some(Api::Rerank));
    assert_eq!(Api::from_path("/v1/models"), None);
}

#[test]
fn keys_of_other_routes_are_left_alone() {
    let body = r#"{"model":"m","messages":[{"role":"user"}],"text":{},"input":7,"text":1,"sampling_params":"x"}"#;
    read(Api::ChatCompletions, body).expect("unknown to chat");
}

#[test]
fn what_only_the_router_says_is_not_taken_from_callers() {
    for (api, body, key) in [
        (
            Api::ChatCompletions,
            r#"{"model":"m","messages":[{"role":"user"}],"kv_transfer_params":{"do_remote_prefill":true}}"#,
            "kv_transfer_params",
        ),
        (
            Api::ChatCompletions,
            r#"{"model":"m","messages":[{"role":"user"}],"vllm_xargs":{"a":1,"kv_transfer_params":"x"}}"#,
            "kv_transfer_params",
        ),
        (
            Api::Messages,
            r#"{"model":"m","messages":[{"role":"user"}],"bootstrap_room":7}"#,
            "bootstrap_room",
        ),
        (
            Api::Completions,
            r#"{"model":"m","prompt":"a","disaggregated_p\u0061rams":{}}"#,
            "disaggregated_params",
        ),
        (
            Api::Generate,
            r#"{"text":"a","bootstrap_host":["10.0.0.9"]}"#,
            "bootstrap_host",
        ),
        (
            Api::GenerateTokens,
            r#"{"token_ids":[1],"sampling_params":{"extra_args":{"a":1,"kv_transfer_params":{}}}}"#,
            "kv_transfer_params",
        ),
    ] {
        let error = read(api, body).expect_err(body);
        assert_eq!(error, RequestError::Reserved { key }, "{body}");
    }
    let absent = r#"{"model":"m","prompt":"a","kv_transfer_params":null,"x":{"bootstrap_room":1}}"#;
    read(Api::Completions, absent).expect("null is absent, and deeper down it is another's");
}
