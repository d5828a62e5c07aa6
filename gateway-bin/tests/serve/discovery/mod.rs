//! Endpoints that come and go while the gateway runs.

mod dns;
mod help;
mod kubernetes;
mod operators;
mod recorded;
mod restart;

/// The API server and the name server that the router's own tests play.
#[expect(
    dead_code,
    reason = "the router's own tests look at tokens and write events"
)]
#[path = "../../../../gateway-router/tests/suite/discovery/api_server.rs"]
mod api_server;
#[expect(dead_code, reason = "failures and IPv6 are the router's own tests")]
#[path = "../../../../gateway-router/tests/suite/discovery/name_server.rs"]
mod name_server;

use std::{future::Future, time::Duration};

/// What takes longer than this has failed.
async fn within<F: Future>(future: F) -> F::Output {
    let in_time = tokio::time::timeout(Duration::from_secs(60), future).await;
    in_time.expect("done in time")
}
