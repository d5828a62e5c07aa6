//! The load generator against the engine, and against targets that misbehave.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::engine;

const SECOND: Duration = Duration::from_secs(1);

fn engines() -> Target {
    let clock = Clock::start();
    let addresses = engine::start(clock).expect("an engine").to_vec();
    Target { addresses, clock }
}

fn prompts(kind: Kind) -> std::sync::Arc<Prompts> {
    Prompts::new(kind, 1_024, &Serials::default())
}

/// A target that answers the first bytes of every connection with `reply` and closes.
async fn answering(reply: &'static [u8]) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let addresses = vec![listener.local_addr().expect("bound")];
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(reply).await;
        }
    });
    Target {
        addresses,
        clock: Clock::start(),
    }
}

#[tokio::test]
async fn a_closed_loop_sends_as_many_as_it_may_and_all_come_back() {
    let until = Until {
        length: 60 * SECOND,
        requests: 1_000,
    };
    let closed = closed_loop(&engines(), &prompts(Kind::Distinct), until)
        .await
        .expect("in time");
    assert_eq!((closed.tally.good, closed.tally.bad), (1_000, 0));
}

#[tokio::test]
async fn an_open_loop_times_every_request() {
    let open = open_loop(&engines(), &prompts(Kind::Whole), 1_000, SECOND / 10)
        .await
        .expect("in time");
    assert_eq!((open.tally.good, open.tally.bad), (100, 0));
    assert_eq!(open.latency.len(), 100);
}

#[tokio::test]
async fn every_chunk_of_every_stream_is_timed() {
    let streams = stream_load(&engines(), &prompts(Kind::Stream), 1)
        .await
        .expect("in time");
    assert_eq!((streams.tally.good, streams.tally.bad), (64, 0));
    assert_eq!(streams.first_chunk.len(), 64);
    assert_eq!(streams.transit.len(), 64 * engine::CHUNKS);
    assert!(streams.first_chunk.min() > 0);
}

#[tokio::test]
async fn refusals_are_counted_and_not_hammered() {
    let target = answering(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await;
    let closed = closed_loop(&target, &prompts(Kind::Whole), Until::length(60 * SECOND))
        .await
        .expect("in time");
    assert_eq!(closed.tally.good, 0);
    assert_eq!(closed.tally.bad, 64 * 100);
    assert!(matches!(
        closed.tally.first_fault,
        Some(ReplyFault::Status(503))
    ));
}

#[tokio::test]
async fn a_cut_reply_and_a_cut_stream_are_bad() {
    let cut = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n{\"id\"").await;
    let open = open_loop(&cut, &prompts(Kind::Whole), 100, SECOND / 10)
        .await
        .expect("in time");
    assert_eq!((open.tally.good, open.tally.bad), (0, 10));

    let ended_early = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
    let streams = stream_load(&answering(ended_early).await, &prompts(Kind::Stream), 2)
        .await
        .expect("in time");
    assert_eq!((streams.tally.good, streams.tally.bad), (0, 128));
    let fault = streams.tally.first_fault;
    assert!(
        matches!(fault, Some(ReplyFault::Order { want: 128, got: 0 })),
        "{fault:?}"
    );
}
