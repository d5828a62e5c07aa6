//! Asking another engine's listener.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// The most bytes of an answer.
const MOST_BYTES: usize = 1 << 20;

/// Where another engine's listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum PeerError {
    /// Nobody listens there.
    Unreachable,
    /// The connection broke before the answer was there.
    Lost,
    /// It answers that it cannot.
    Refused,
}

/// One exchange on a connection of its own, which is closed when this is dropped.
pub(super) async fn ask(
    peer: &Peer,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Value, PeerError> {
    let address = (peer.host.as_str(), peer.port);
    let socket = TcpStream::connect(address)
        .await
        .map_err(|_| PeerError::Unreachable)?;
    let lost = |_: hyper::Error| PeerError::Lost;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(lost)?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", &peer.host)
        .header("connection", "close")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|_| PeerError::Unreachable)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(lost)?;
        if response.status() != StatusCode::OK {
            return Err(PeerError::Refused);
        }
        let body = Limited::new(response.into_body(), MOST_BYTES).collect();
        let bytes = body.await.map_err(|_| PeerError::Lost)?.to_bytes();
        serde_json::from_slice(&bytes).map_err(|_| PeerError::Refused)
    };
    // Both in one task, so that whoever stops waiting closes the connection.
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}
