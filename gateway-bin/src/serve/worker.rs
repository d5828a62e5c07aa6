//! One thread's work: accept, serve, and stop in order.

use std::{io, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time,
};

use super::connection;
use crate::{
    gate::Gate,
    metrics::Rejection,
    stage::{self, Stage},
};

/// How long to wait when the system has no sockets to give.
const BREATH: Duration = Duration::from_millis(50);

/// How long background work has at the end to note how far it came.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Said to whoever comes when all connections are taken.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 115\r\n\
    retry-after: 1\r\nconnection: close\r\n\r\n\
    {\"error\":{\"message\":\"Too many connections. Try again.\",\"type\":\"overloaded_error\",\"param\":null,\"code\":\"overloaded\"}}";

/// What a socket serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The clients' routes.
    Clients,
    /// `/metrics`, `/health` and `/ready` alone.
    Metrics,
}

/// Serves `listener` until the stages end.
pub(crate) async fn run(listener: TcpListener, gate: Arc<Gate>, site: Site) {
    let mut stages = gate.stages.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&listener) => admit(accepted, &gate, site, &mut connections).await,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stage::wait(&mut stages, Stage::Closing) => break,
        }
    }
    // Whoever the kernel has already let in would be reset with the socket.
    while let Some(accepted) = accept(&listener).now_or_never() {
        if accepted.is_err() {
            break;
        }
        admit(accepted, &gate, site, &mut connections).await;
    }
    drop(listener);
    let work = async {
        while connections.join_next().await.is_some() {}
        // What runs in the background runs on threads like this one.
        gate.responses.idle().await;
    };
    tokio::select! {
        () = work => {}
        () = stage::wait(&mut stages, Stage::Cut) => {
            // Background work notes that it was cut; a store that does not answer is not waited for.
            drop(time::timeout(LAST_WORDS, gate.responses.idle()).await);
        }
    }
}

/// The next connection, ready for small writes.
async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn admit(
    accepted: io::Result<TcpStream>,
    gate: &Arc<Gate>,
    site: Site,
    connections: &mut JoinSet<()>,
) {
    match accepted {
        Ok(stream) => {
            let gate = Arc::clone(gate);
            connections.spawn(async move {
                let limit = gate.rules.load().limits.connections;
                match gate.metrics.door.connection(limit) {
                    Some(_open) => connection::serve(stream, &gate, site).await,
                    // The socket is new, so its buffer is empty and takes these few bytes or is gone.
                    None => drop(stream.try_write(FULL)),
                }
            });
        }
        Err(error) if is_of_the_peer(&error) => gate.metrics.door.reject(Rejection::Head),
        Err(error) => {
            tracing::warn!(%error, "cannot accept connections");
            time::sleep(BREATH).await;
        }
    }
}

/// Whether only this one connection is at fault.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | InvalidInput | NotConnected
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_do_not_delay_small_writes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (accepted, _client) = tokio::join!(accept(&listener), TcpStream::connect(address));
        assert!(accepted.expect("accepted").nodelay().expect("asked"));
    }

    #[test]
    fn the_refusal_is_well_formed() {
        let text = std::str::from_utf8(FULL).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        serde_json::from_str::<serde_json::Value>(body).expect("json");
    }
}
