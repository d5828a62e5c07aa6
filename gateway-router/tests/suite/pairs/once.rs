//! What was handed over is for one reader, whatever becomes of the connection it went out on.

use gateway_router::{Target, proto::engines::transfer::Connector};

use super::{engine::Act, rig::settings};
use crate::common::{
    rig::{Rig, unwatched},
    script::{
        ScriptEngine,
        Step::{Read, Say, Serve},
    },
    wire::{answer, reply},
};

const HANDED_OVER: &str = r#"{"choices":[],"kv_transfer_params":{"do_remote_prefill":true,
    "remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1}}"#;

#[tokio::test]
async fn a_decode_leg_on_a_connection_that_dies_does_not_go_out_again() {
    let prefill = ScriptEngine::always(vec![Serve(reply(200, HANDED_OVER))]).await;
    let dies = vec![Read, Say(answer()), Read];
    let decode = ScriptEngine::on_each(vec![dies, vec![Serve(answer())]]).await;
    let unified = ScriptEngine::good().await;
    let parts = [("p1", Act::Serve), ("d1", Act::Serve), ("u", Act::Serve)];
    let mut told = settings(Connector::Nixl, &parts);
    for (endpoint, engine) in told.endpoints.iter_mut().zip([&prefill, &decode, &unified]) {
        let target = Target::parse(&format!("http://{}", engine.addr));
        endpoint.target = target.expect("an address");
    }
    let rig = Rig::driving(told, unwatched);
    for expected in ["split", "single_phase; reason=decode_failed"] {
        let reply = rig.ask().await.expect("served");
        let pair = reply.pair.as_ref().map(ToString::to_string);
        assert_eq!(pair.as_deref(), Some(expected));
    }
    let legs = decode.heard();
    let fetches = legs
        .iter()
        .filter(|leg| leg.body.contains("remote_engine_id"));
    assert_eq!(fetches.count(), 2, "one for each request");
    assert_eq!(decode.accepted(), 1);
    assert_eq!(unified.heard().len(), 1);
}
