//! The models list.

use crate::{
    rig::{KEY, Plan, Rig},
    wire::get,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_engines_say_of_themselves_is_listed() {
    let rig = Rig::start(Plan {
        engines: 2,
        ..Plan::default()
    })
    .await;
    let list = get(rig.addr(), "/v1/models", &[("x-api-key", KEY)])
        .await
        .json();
    assert_eq!(
        (
            list["object"].as_str(),
            list["data"].as_array().map(Vec::len)
        ),
        (Some("list"), Some(1))
    );
    let one = get(rig.addr(), "/v1/models/m", &[("x-api-key", KEY)])
        .await
        .json();
    assert_eq!(
        (one["id"].as_str(), one["object"].as_str()),
        (Some("m"), Some("model"))
    );
    assert!(
        one["max_model_len"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0),
        "{one}"
    );
    let none = get(rig.addr(), "/v1/models/a%2Fb", &[("x-api-key", KEY)]).await;
    assert_eq!(
        (none.status, none.error().0.as_str()),
        (404, "model_not_found")
    );
    assert!(none.body.contains("a/b"));
}
