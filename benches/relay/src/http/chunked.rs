//! The chunked transfer coding (RFC 9112, section 7.1), read incrementally.

use super::HttpFault;

/// Longest chunk-size or trailer line, in bytes.
const MAX_LINE: usize = 1024;

/// Removes the chunk framing from a body that arrives in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Dechunker {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    Trailer,
    Done,
}

impl Dechunker {
    /// Whether the last chunk and the trailer have been read.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes as much of `input` as it can, appends the data to `out`, returns the bytes used up.
    ///
    /// # Errors
    /// The input is not chunked.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, HttpFault> {
        let mut used = 0;
        while !self.is_done() {
            let step = self.step(&input[used..], out)?;
            if step == 0 {
                break;
            }
            used += step;
        }
        Ok(used)
    }

    fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, HttpFault> {
        if let State::Data(left) = self.state {
            let take = left.min(input.len());
            out.extend_from_slice(&input[..take]);
            self.state = if take == left {
                State::DataEnd
            } else {
                State::Data(left - take)
            };
            return Ok(take);
        }
        let Some(line_end) = memchr::memchr(b'\n', input) else {
            if input.len() > MAX_LINE {
                return Err(HttpFault::Malformed("chunk line too long"));
            }
            return Ok(0);
        };
        let line = input[..line_end].trim_ascii();
        self.state = match self.state {
            State::Size => match chunk_size(line)? {
                0 => State::Trailer,
                size => State::Data(size),
            },
            State::DataEnd if line.is_empty() => State::Size,
            State::DataEnd => return Err(HttpFault::Malformed("chunk longer than its size")),
            State::Trailer if line.is_empty() => State::Done,
            state => state,
        };
        Ok(line_end + 1)
    }
}

fn chunk_size(line: &[u8]) -> Result<usize, HttpFault> {
    let digits = line
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or(HttpFault::Malformed("chunk size"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> (Vec<u8>, bool, Vec<u8>) {
        let (mut dechunker, mut out, mut waiting) = (Dechunker::default(), Vec::new(), Vec::new());
        for piece in pieces {
            waiting.extend_from_slice(piece);
            let used = dechunker.feed(&waiting, &mut out).expect("valid chunks");
            waiting.drain(..used);
        }
        (out, dechunker.is_done(), waiting)
    }

    #[test]
    fn every_split_gives_the_same_body() {
        let wire = b"5\r\nhello\r\n1A;ext=1\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nx: y\r\n\r\nNEXT";
        for at in 0..=wire.len() {
            let (body, done, rest) = decode(&[&wire[..at], &wire[at..]]);
            assert_eq!(body, b"helloabcdefghijklmnopqrstuvwxyz");
            assert!(done);
            assert_eq!(rest, b"NEXT");
        }
    }

    #[test]
    fn refuses_a_size_that_lies() {
        let mut out = Vec::new();
        assert!(
            Dechunker::default()
                .feed(b"3\r\nhello\r\n", &mut out)
                .is_err()
        );
        assert!(Dechunker::default().feed(b"zz\r\n", &mut out).is_err());
        assert!(
            Dechunker::default()
                .feed(&[b'1'; MAX_LINE + 1], &mut out)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
            let mut out = Vec::new();
            if let Ok(used) = Dechunker::default().feed(&bytes, &mut out) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
