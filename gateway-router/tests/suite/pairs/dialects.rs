//! Prompts in other words than OpenAI's chat: split where they become a chat on their way, served whole where they do not.

use std::sync::Arc;

use bytes::Bytes;
use gateway_router::{
    RouteRequest,
    proto::{anthropic, engines::transfer::Connector, ir::Request, openai::Api, responses},
};
use serde_json::json;

use super::{
    engine::Act,
    rig::{PairRig, Part},
};
use crate::{
    common::{rig, within},
    edge::{ask, gathered},
};

const PARTS: [Part; 2] = [("p1", Act::Serve), ("d1", Act::Serve)];

fn messages() -> String {
    let said = json!([{"role": "user", "content": "hello there"}]);
    json!({"model": "m", "max_tokens": 64, "messages": said}).to_string()
}

fn response() -> String {
    json!({"model": "m", "input": "hello there"}).to_string()
}

fn decoded() -> [(Api, Request); 2] {
    let messages = anthropic::decode_request(messages().as_bytes()).expect("a good body");
    let response = responses::decode_request(response().as_bytes()).expect("a good body");
    [
        (Api::Messages, messages),
        (Api::Responses, response.request),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_becomes_a_chat_is_split() {
    for connector in [Connector::Nixl, Connector::Sglang, Connector::TrtLlm] {
        for (api, request) in decoded() {
            let rig = PairRig::new(connector, &PARTS);
            let mut asked = ask(request, None);
            asked.api = api;
            let reply = within(rig.rig.router.answer(asked)).await.expect("served");
            let answer = gathered(reply).await.expect("it does not break");
            assert_eq!(answer.choices[0].text(), "Hello", "{connector:?} {api:?}");
            assert_eq!(rig.told(), "split", "{connector:?} {api:?}");
            rig.assert_idle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_engines_get_in_its_own_words_is_served_whole_and_told() {
    for (api, body) in [(Api::Messages, messages()), (Api::Responses, response())] {
        let rig = PairRig::new(Connector::Nixl, &PARTS);
        let request = RouteRequest::parse(api, Bytes::from(body)).expect("good");
        let reply = within(rig.rig.router.route(request)).await.expect("served");
        rig::text(reply).await;
        assert_eq!(rig.legs(), [("d1", "whole")], "{api:?}");
        assert_eq!(rig.told(), "single_phase; reason=not_splittable", "{api:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fleets_without_halves_miss_no_pair() {
    let rig = PairRig::new(Connector::Nixl, &[("u", Act::Serve)]);
    let request = RouteRequest::parse(Api::Messages, Bytes::from(messages())).expect("good");
    within(rig.rig.router.route(request)).await.expect("served");
    assert!(Arc::strong_count(&rig.world) > 0 && rig.told() == "none");
}
