//! One client connection.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;

use super::{
    handler,
    responses::Session,
    socket::{Socket, Talk},
    worker::Site,
};
use crate::{
    config::ServeLimits,
    gate::Gate,
    stage::{self, Stage},
};

/// Serves `stream` until it ends, idles too long or the gateway closes.
pub(super) async fn serve(stream: TcpStream, gate: &Arc<Gate>, site: Site) {
    let talk = Arc::new(Talk::default());
    let limits = gate.rules.load().limits;
    let socket = Socket::new(
        stream,
        Arc::clone(&talk),
        Arc::clone(&gate.metrics),
        limits.write_timeout,
    );
    let session = Mutex::new(None);
    if let Err(error) = converse(socket, &talk, &limits, gate, (site, &session)).await {
        tracing::debug!(%error, "connection ended");
        if error.is_timeout() {
            talk.end_slow(&gate.metrics);
        }
    }
    // The session takes the connection's place, so that it counts as one and is drained as one.
    let session = session.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = session {
        session.run().await;
    }
}

async fn converse(
    socket: Socket,
    talk: &Talk,
    limits: &ServeLimits,
    gate: &Arc<Gate>,
    (site, session): (Site, &Mutex<Option<Session>>),
) -> hyper::Result<()> {
    let mut stages = gate.stages.subscribe();
    let service = service_fn(|request| {
        talk.begin();
        async move {
            let mut reply = handler::handle(gate, request, site).await;
            if let Some(begun) = reply.extensions_mut().remove::<Session>() {
                *session.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
            }
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(limits.headers)
        .max_buf_size(limits.header_bytes)
        .serve_connection(socket, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        served = connection.as_mut() => served,
        () = stage::wait(&mut stages, Stage::Closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}
