//! The trivial engine: one thread, two ports, no work. It speaks enough of vLLM's HTTP surface that
//! a gateway takes it for one: chat, `/v1/models`, `/health`, `/version`, `/metrics`.

mod connection;
mod replies;
mod route;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use tokio::runtime::Builder;

use crate::clock::Clock;
use crate::fault::Fault;

use replies::Replies;
pub(crate) use replies::{CHUNKS, FILLER};

/// What the engine calls its model.
pub(crate) const MODEL: &str = "bench";

/// What the connections of one port share.
#[derive(Debug, Clone)]
struct Port {
    clock: Clock,
    replies: Arc<Replies>,
    /// Chat requests under way, for `/metrics`.
    running: Arc<AtomicU64>,
}

/// Starts the engine's thread, which lives as long as the process, and returns its two addresses.
///
/// # Errors
/// No port or no thread to be had.
pub(crate) fn start(clock: Clock) -> Result<[SocketAddr; 2], Fault> {
    let bind = || bind().map_err(Fault::io("listen on the loopback address"));
    let (first, first_address) = bind()?;
    let (second, second_address) = bind()?;
    thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || serve([first, second], clock))
        .map_err(Fault::io("start the engine's thread"))?;
    Ok([first_address, second_address])
}

fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn serve(listeners: [TcpListener; 2], clock: Clock) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the main thread has a runtime like it");
    runtime.block_on(async {
        let [first, second] = listeners;
        tokio::join!(accept(first, clock), accept(second, clock));
    });
}

async fn accept(listener: TcpListener, clock: Clock) {
    let listener =
        tokio::net::TcpListener::from_std(listener).expect("the listener is non-blocking");
    let port = Port {
        clock,
        replies: Arc::new(Replies::cut()),
        running: Arc::default(),
    };
    loop {
        // A refused accept (descriptors used up) is a relay that opens too many; its requests then
        // count as failed.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection::serve(stream, port.clone()));
        } else {
            tokio::task::yield_now().await;
        }
    }
}
