//! The multiplexed answers of MindIE's decode engines.

use crate::engines::transfer::mindie::{Decoder, DresultError, Limits, Message, What, answered};

const LIMITS: Limits = Limits {
    id_bytes: 64,
    body_bytes: 256,
};

/// Any bytes in any split give the same messages, none of which is past its limit; nothing comes after a fatal error.
pub fn dresult(data: &[u8]) {
    let whole = messages([data]);
    let bytes = messages(data.chunks(1));
    assert_eq!(whole, bytes);
    for message in whole.iter().flatten() {
        if let Message::Part(part) = message {
            assert!(!part.id.is_empty() && part.id.len() <= LIMITS.id_bytes);
            // The word's own bytes are counted roughly.
            assert!(part.body.len() <= LIMITS.body_bytes + 16);
            if part.what != What::Retry {
                let read = answered(&part.body, &part.id);
                assert!(read.is_none_or(|read| read.first.len() <= part.body.len()));
            }
        }
    }
    let fatal = whole
        .iter()
        .position(|read| matches!(read, Err(error) if error.is_fatal()));
    assert!(fatal.is_none_or(|at| at + 1 == whole.len()));
}

fn messages<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<Message, DresultError>> {
    let mut decoder = Decoder::new(LIMITS);
    let mut out = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        while let Some(read) = decoder.next_message().transpose() {
            out.push(read);
        }
    }
    out
}
