mod encode;
mod read;

use super::*;
use crate::sse::Limits;

/// The answer to `call` on `wire`, read whole, with how it ended.
fn read_whole(
    wire: TokenWire,
    call: &TokenCall,
    stream: &str,
) -> (Vec<TokenEvent>, Result<(), TokenFault>) {
    read_split(wire, call, stream.as_bytes(), usize::MAX).0
}

type Read = (Vec<TokenEvent>, Result<(), TokenFault>);

/// The same in chunks of `size` bytes, and the reader it was read with.
fn read_split(
    wire: TokenWire,
    call: &TokenCall,
    stream: &[u8],
    size: usize,
) -> (Read, TokenReader) {
    let mut reader = TokenReader::new(wire, call, Limits::default());
    let mut events = Vec::new();
    for chunk in stream.chunks(size) {
        reader.push(chunk, &mut events);
    }
    reader.finish(&mut events);
    let end = reader.end().expect("it was finished");
    let end = end.map_err(Clone::clone);
    ((events, end), reader)
}

fn event(choice: u32, ids: &[u32], finish: Option<TokenFinish>) -> TokenEvent {
    TokenEvent {
        choice,
        ids: ids.to_vec(),
        logprobs: Vec::new(),
        finish,
    }
}

/// The body that came back in a recorded exchange.
fn reply_body(capture: &str) -> &str {
    let (_, reply) = capture.split_once("\n\n< ").expect("a capture has a reply");
    reply.split_once("\n\n").expect("a capture has a body").1
}
