//! The listener and its connections.

use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::dead::{DeathMark, Mortal};
use super::{Door, route};
use crate::engine::faults::FaultKind;
use crate::engine::shell::{Life, Shell};
use crate::engine::stats::Counters;

/// Accepts until the engine stops, then keeps the connections it has until the engine dies.
pub(in crate::engine) async fn accept(listener: TcpListener, shell: Arc<Shell>, door: Door) {
    let mut life = shell.life.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error here is the client's or a passing lack of descriptors; the next one may do better.
                let Ok((socket, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                while connections.try_join_next().is_some() {}
                if shell.faults.strike(FaultKind::RefuseConnections).is_some() {
                    continue;
                }
                if connections.len() < shell.config.max_connections {
                    Counters::add(&shell.counters.connections);
                    connections.spawn(serve(socket, Arc::clone(&shell), door));
                }
            }
            () = Life::reached(&mut life, Life::Stopping) => break,
        }
    }
    drop(listener);
    Life::reached(&mut life, Life::Dead).await;
    connections.shutdown().await;
}

async fn serve(socket: TcpStream, shell: Arc<Shell>, door: Door) {
    // Tokens leave one by one; a socket that cannot be told so is only slower.
    let _ = socket.set_nodelay(true);
    let mark = DeathMark::default();
    let io = Mortal {
        socket: TokioIo::new(socket),
        mark: mark.clone(),
    };
    let service =
        service_fn(move |request| route::answer(Arc::clone(&shell), door, mark.clone(), request));
    // How a connection ends concerns nobody: what it held was withdrawn with it.
    let _ = http1::Builder::new().serve_connection(io, service).await;
}
