//! Listening sockets.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// One socket on `address`, as `count` handles, one for each thread.
///
/// Whoever is free accepts: while there is little to do one thread takes most connections and serves many chunks each
/// time it wakes, and when it is busy the others come in. Sockets of their own that share the port would spread
/// connections evenly, and wake every thread for a little.
///
/// # Errors
/// Where the address is taken or not ours.
pub(crate) fn bind_all(address: SocketAddr, count: usize) -> Result<Vec<TcpListener>, ListenError> {
    let listen = || -> io::Result<Vec<TcpListener>> {
        let socket = bind(address)?;
        (0..count).map(|_| socket.try_clone()).collect()
    };
    listen().map_err(|source| ListenError { address, source })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_found_out() {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let first = bind_all(free, 3).expect("a free port");
        let address = first[0].local_addr().expect("bound");
        assert!(
            first
                .iter()
                .all(|socket| socket.local_addr().expect("bound") == address)
        );
        let error = bind_all(address, 2).expect_err("taken");
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    }
}
