//! Token streams of engines.

use crate::engines::{TokenCall, TokenEvent, TokenFault, TokenReader, TokenWire};
use crate::ir::LogprobsAsked;
use crate::sse::Limits;

/// Chunk sizes that are tried against the whole.
const SIZES: [usize; 4] = [1, 3, 7, 64];

/// Read on any wire in any split, a stream gives the same events and the same end; events of a choice stop at its
/// ending, and every token is counted.
pub fn engine_tokens(data: &[u8]) {
    let mut call = TokenCall::new("m", [1, 2].as_slice(), 8);
    call.sampling.n = Some(2);
    call.sampling.stop_token_ids = vec![7];
    call.logprobs = Some(LogprobsAsked { top: 1 });
    for wire in TokenWire::ALL {
        let whole = read(wire, &call, data, usize::MAX);
        check(&whole.0);
        for size in SIZES {
            let split = read(wire, &call, data, size);
            assert_eq!(split, whole, "{wire:?} in chunks of {size}");
        }
    }
}

fn read(
    wire: TokenWire,
    call: &TokenCall,
    data: &[u8],
    size: usize,
) -> (Vec<TokenEvent>, Result<(), TokenFault>) {
    let mut reader = TokenReader::new(wire, call, Limits { event_bytes: 256 });
    let mut events = Vec::new();
    for chunk in data.chunks(size) {
        reader.push(chunk, &mut events);
    }
    reader.finish(&mut events);
    let tokens: usize = events.iter().map(|event| event.ids.len()).sum();
    assert_eq!(reader.counted(), tokens as u64);
    let end = reader.end().expect("it was finished");
    (events, end.map_err(Clone::clone))
}

fn check(events: &[TokenEvent]) {
    let mut over = [false; 2];
    for event in events {
        let over = &mut over[event.choice as usize];
        assert!(!*over, "an event after the end of its choice");
        *over = event.finish.is_some();
        assert!(event.finish.is_some() || !event.ids.is_empty());
        assert!(event.logprobs.is_empty() || event.logprobs.len() == event.ids.len());
        assert!(event.logprobs.iter().all(|told| told.top.len() <= 1));
    }
}
