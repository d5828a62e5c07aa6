use std::time::Duration;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Kind, Peer, ZmtpError, frames};

const PATIENCE: Duration = Duration::from_secs(10);

/// The greeting and the READY command of a socket of this type, as libzmq 4.3 sends them.
fn hello(socket: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(64, 0);
    let mut ready = Vec::from(&b"\x05READY\x0bSocket-Type\0\0\0"[..]);
    ready.push(u8::try_from(socket.len()).expect("short"));
    ready.extend_from_slice(socket.as_bytes());
    bytes.extend_from_slice(&[4, u8::try_from(ready.len()).expect("short")]);
    bytes.extend_from_slice(&ready);
    bytes
}

/// A peer that sends these bytes, and the end that hears them after its handshake.
async fn told(kind: Kind, bytes: Vec<u8>) -> (Result<Peer, ZmtpError>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let far = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // A peer that refuses may close before all is written.
        let _ = stream.write_all(&bytes).await;
        stream
    };
    tokio::join!(Peer::connect("127.0.0.1", port, kind, PATIENCE), far)
}

async fn subscriber(after_hello: &[u8]) -> (Peer, TcpStream) {
    let (peer, stream) = told(Kind::Sub, [&hello("PUB"), after_hello].concat()).await;
    (peer.expect("a publisher"), stream)
}

#[tokio::test]
async fn a_silent_connection_is_asked_after() {
    let (peer, _far) = subscriber(b"").await;
    let socket = peer.socket();
    assert!(socket.keepalive().expect("a socket"));
    let silent = socket.tcp_keepalive_time().expect("a socket");
    assert!(silent <= Duration::from_secs(60), "{silent:?}");
}

#[tokio::test]
async fn hears_messages_of_short_and_long_frames_and_answers_pings() {
    let long = [7_u8; 300];
    let mut bytes = Vec::from(&[1, 1, b't', 3, 0, 0, 0, 0, 0, 0, 1, 44][..]);
    bytes.extend_from_slice(&long);
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(b"\x04\x09\x04PING\0\x05hi");
    bytes.extend_from_slice(&[0, 2, b'o', b'k']);
    let (mut peer, mut far) = subscriber(&bytes).await;
    peer.subscribe(b"t").await.expect("sent");
    let first = peer.recv().await.expect("a message");
    assert_eq!(first, [&b"t"[..], &long[..], b""]);
    assert_eq!(peer.recv().await.expect("another"), [&b"ok"[..]]);
    let mut heard = vec![0; 64 + 40 + 4 + 9];
    far.read_exact(&mut heard).await.expect("all of it");
    assert_eq!(&heard[heard.len() - 13..], b"\0\x02\x01t\x04\x07\x04PONGhi");
}

#[tokio::test]
async fn refuses_what_is_no_publisher() {
    let (wrong_type, _far) = told(Kind::Sub, hello("ROUTER")).await;
    assert!(matches!(wrong_type, Err(ZmtpError::SocketType(name)) if name == "ROUTER"));
    let (http, _far) = told(Kind::Sub, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await;
    assert!(matches!(http, Err(ZmtpError::NotZmtp)));
    let mut secured = hello("PUB");
    secured[12..17].copy_from_slice(b"CURVE");
    assert!(matches!(
        told(Kind::Sub, secured).await.0,
        Err(ZmtpError::Mechanism)
    ));
    let mut old = hello("PUB");
    old[10] = 1;
    assert!(matches!(
        told(Kind::Sub, old).await.0,
        Err(ZmtpError::NotZmtp)
    ));
}

#[tokio::test]
async fn a_peer_cannot_ask_for_more_memory_than_a_message_has() {
    let (mut peer, _far) = subscriber(&[3, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).await;
    assert!(matches!(peer.recv().await, Err(ZmtpError::TooLarge)));
    let (mut peer, _far) = subscriber(&[1, 0].repeat(20)).await;
    assert!(matches!(peer.recv().await, Err(ZmtpError::TooLarge)));
}

#[tokio::test]
async fn an_end_is_told() {
    let (mut peer, far) = subscriber(&[1, 1, b't']).await;
    drop(far);
    assert!(matches!(peer.recv().await, Err(ZmtpError::Closed)));
}

#[test]
fn every_cut_of_a_frame_waits_for_the_rest() {
    let mut whole = BytesMut::new();
    frames::put_message(&mut whole, &[b"topic", &[9; 700]]);
    for cut in 0..whole.len() {
        let mut begun = BytesMut::from(&whole[..cut]);
        let mut taken = 0;
        while frames::take(&mut begun).expect("well formed").is_some() {
            taken += 1;
        }
        assert_eq!(taken, usize::from(cut >= 7), "{cut} bytes");
    }
}
