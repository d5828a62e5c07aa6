//! What people who look closely see of a pair: a span for it, and one within it for each leg.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use gateway_router::proto::engines::transfer::Connector;
use tokio::time::timeout;
use tracing::{Level, subscriber::set_default};
use tracing_subscriber::fmt::format::FmtSpan;

use super::{
    engine::Act,
    rig::{GRACE, PairRig, Part},
};
use crate::common::rig;

/// Lines of spans that have closed.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// The spans of one request that is given up after `patience`.
async fn spans(connector: Connector, parts: &[Part], patience: Duration) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _looking = set_default(subscriber);
    let rig = PairRig::new(connector, parts);
    let asked = async {
        let reply = rig.rig.router.route(rig::request(true)).await;
        rig::text(reply.expect("served")).await
    };
    let _left = timeout(patience, asked).await;
    tokio::time::sleep(GRACE + Duration::from_secs(1)).await;
    lines.text()
}

/// The fields of the closed span of each leg, within that of the pair.
fn assert_told(spans: &str, pair: &str, legs: &[&str]) {
    let closed = |fields: &str| {
        let mut lines = spans.lines().filter(|line| line.contains("close"));
        lines.any(|line| line.contains(fields))
    };
    assert!(closed(pair), "{pair} in\n{spans}");
    for leg in legs {
        assert!(closed(leg), "{leg} in\n{spans}");
        let within = spans.lines().find(|line| line.contains(leg));
        assert!(within.is_some_and(|line| line.contains("pair{connector=")));
    }
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn a_pair_and_its_legs_are_told() {
    for connector in [Connector::Nixl, Connector::Mooncake, Connector::Sglang] {
        let spans = spans(connector, &[("p1", Act::Serve), ("d1", Act::Serve)], LONG).await;
        let name = connector.name();
        let pair =
            format!(r#"pair{{connector="{name}" prefill="p1" decode="d1" outcome="split"}}"#);
        let legs = [
            r#"leg{part="prefill" endpoint="p1" outcome="served"}"#,
            r#"leg{part="decode" endpoint="d1" outcome="served"}"#,
        ];
        assert_told(&spans, &pair, &legs);
        let asks = spans.contains(r#"leg{part="bootstrap" endpoint="p1" outcome="served"}"#);
        assert_eq!(asks, connector == Connector::Mooncake);
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_told_and_how() {
    let parts = [
        ("p1", Act::Serve),
        ("d1", Act::Answer(500)),
        ("u", Act::Serve),
    ];
    let told = spans(Connector::Nixl, &parts, LONG).await;
    let pair = r#"decode="d1" fault="decode_failed" outcome="given_up"}"#;
    let leg = r#"leg{part="decode" endpoint="d1" error="engine_failed" outcome="failed"}"#;
    assert_told(&told, pair, &[leg]);
    let parts = [("p1", Act::Refuse), ("d1", Act::Serve), ("u", Act::Serve)];
    let told = spans(Connector::Sglang, &parts, LONG).await;
    let pair = r#"decode="d1" fault="prefill_unreachable" outcome="given_up"}"#;
    let legs = [
        r#"leg{part="prefill" endpoint="p1" error="connect" outcome="failed"}"#,
        r#"leg{part="decode" endpoint="d1" outcome="cancelled"}"#,
    ];
    assert_told(&told, pair, &legs);
}

#[tokio::test(start_paused = true)]
async fn legs_whose_caller_left_are_told_when_they_end() {
    let parts = [("p1", Act::Serve), ("d1", Act::Hang)];
    let told = spans(Connector::Nixl, &parts, Duration::from_secs(1)).await;
    let pair = r#"decode="d1" outcome="cancelled"}"#;
    let leg = r#"leg{part="decode" endpoint="d1" outcome="decode_cut_off"}"#;
    assert_told(&told, pair, &[leg]);
}
