//! Whether a reply is the right one, whole, in order and ended.

use memchr::{memchr, memmem};

use crate::engine::{CHUNKS, FILLER};
use crate::http::HttpFault;
use crate::stencil::{INDEX_DIGITS, NANOS_DIGITS, SERIAL_DIGITS, read_digits};

/// What is wrong with a reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplyFault {
    /// None came, or HTTP was broken.
    #[error(transparent)]
    Http(#[from] HttpFault),
    /// Not 200.
    #[error("status {0}")]
    Status(u16),
    /// The text is not the engine's, or not all of it.
    #[error("not the engine's text")]
    Text,
    /// The reply to another request.
    #[error("the reply to request {got} instead of {want}")]
    Foreign {
        /// The request's serial number.
        want: u64,
        /// The reply's.
        got: u64,
    },
    /// A chunk missing, doubled or out of turn.
    #[error("chunk {got} where {want} was due")]
    Order {
        /// The next chunk.
        want: u64,
        /// The one that came.
        got: u64,
    },
    /// A stream without finish, usage or `[DONE]`, or with something after it.
    #[error("the stream did not end as it should")]
    End,
}

/// Checks a whole reply's body.
pub(super) fn whole(body: &[u8], serial: u64) -> Result<(), ReplyFault> {
    let mark = memchr(b'#', body).ok_or(ReplyFault::Text)?;
    let rest = &body[mark + 1..];
    let (digits, rest) = rest
        .split_at_checked(SERIAL_DIGITS)
        .ok_or(ReplyFault::Text)?;
    same_serial(digits, serial)?;
    let text = rest.strip_prefix(b"# ").ok_or(ReplyFault::Text)?;
    let ends = body.trim_ascii_end().ends_with(b"}");
    (text.starts_with(FILLER.as_bytes()) && ends)
        .then_some(())
        .ok_or(ReplyFault::Text)
}

fn same_serial(digits: &[u8], want: u64) -> Result<(), ReplyFault> {
    match read_digits(digits).ok_or(ReplyFault::Text)? {
        got if got == want => Ok(()),
        got => Err(ReplyFault::Foreign { want, got }),
    }
}

/// Follows one stream, event by event.
#[derive(Debug)]
pub(super) struct StreamCheck {
    serial: u64,
    next_index: u64,
    finished: bool,
    usage: bool,
    done: bool,
}

impl StreamCheck {
    /// Expects the reply to request `serial`.
    pub(super) fn new(serial: u64) -> Self {
        Self {
            serial,
            next_index: 0,
            finished: false,
            usage: false,
            done: false,
        }
    }

    /// Takes one event without its blank line; for a content chunk, gives the clock reading of the
    /// engine's write.
    pub(super) fn event(&mut self, event: &[u8]) -> Result<Option<u64>, ReplyFault> {
        if self.done {
            return Err(ReplyFault::End);
        }
        let Some(data) = event.strip_prefix(b"data:") else {
            return Ok(None);
        };
        if let Some(mark) = memchr(b'#', data) {
            return self.content(&data[mark + 1..]).map(Some);
        }
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
        } else if memmem::find(data, br#""finish_reason":"length""#).is_some() {
            self.finished = true;
        } else if memmem::find(data, br#""completion_tokens":128"#).is_some() {
            self.usage = true;
        }
        Ok(None)
    }

    fn content(&mut self, text: &[u8]) -> Result<u64, ReplyFault> {
        let (serial, rest) = text
            .split_at_checked(SERIAL_DIGITS)
            .ok_or(ReplyFault::Text)?;
        same_serial(serial, self.serial)?;
        let (index, rest) = number(rest, INDEX_DIGITS)?;
        let (nanos, rest) = number(rest, NANOS_DIGITS)?;
        if index != self.next_index || self.finished {
            return Err(ReplyFault::Order {
                want: self.next_index,
                got: index,
            });
        }
        self.next_index += 1;
        rest.starts_with(b"#")
            .then_some(nanos)
            .ok_or(ReplyFault::Text)
    }

    /// Whether `[DONE]` has come.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Checks that nothing is missing, once the body is over.
    pub(super) fn end(&self) -> Result<(), ReplyFault> {
        if self.next_index != CHUNKS {
            return Err(ReplyFault::Order {
                want: CHUNKS,
                got: self.next_index,
            });
        }
        (self.finished && self.usage && self.done)
            .then_some(())
            .ok_or(ReplyFault::End)
    }
}

/// A space, then a number of so many digits.
fn number(text: &[u8], digits: usize) -> Result<(u64, &[u8]), ReplyFault> {
    let text = text.strip_prefix(b" ").ok_or(ReplyFault::Text)?;
    let (digits, rest) = text.split_at_checked(digits).ok_or(ReplyFault::Text)?;
    Ok((read_digits(digits).ok_or(ReplyFault::Text)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(serial: u64, index: u64) -> String {
        format!(
            r##"data: {{"choices":[{{"delta":{{"content":"#{serial:012} {index:04} {:016}#"}}}}]}}"##,
            77
        )
    }

    fn fed(events: &[String]) -> Result<(), ReplyFault> {
        let mut check = StreamCheck::new(3);
        for event in events {
            check.event(event.as_bytes())?;
        }
        check.end()
    }

    fn right() -> Vec<String> {
        let mut events: Vec<_> = (0..CHUNKS).map(|index| chunk(3, index)).collect();
        events.push(r#"data: {"choices":[{"finish_reason":"length"}]}"#.to_owned());
        events.push(r#"data: {"usage":{"completion_tokens":128}}"#.to_owned());
        events.push("data: [DONE]".to_owned());
        events
    }

    #[test]
    fn a_right_stream_passes_and_gives_the_times() {
        fed(&right()).expect("all there");
        assert!(matches!(
            StreamCheck::new(3).event(chunk(3, 0).as_bytes()),
            Ok(Some(77))
        ));
    }

    #[test]
    fn every_event_taken_away_doubled_or_swapped_is_noticed() {
        for at in 0..right().len() {
            let mut missing = right();
            missing.remove(at);
            assert!(fed(&missing).is_err(), "without event {at}");
        }
        for at in 0..right().len() - 3 {
            let mut doubled = right();
            doubled.insert(at, doubled[at].clone());
            assert!(fed(&doubled).is_err(), "event {at} twice");
        }
        let mut swapped = right();
        swapped.swap(4, 5);
        assert!(matches!(
            fed(&swapped),
            Err(ReplyFault::Order { want: 4, got: 5 })
        ));
    }

    #[test]
    fn a_foreign_chunk_and_a_late_event_are_noticed() {
        let mut foreign = right();
        foreign[9] = chunk(4, 9);
        assert!(matches!(
            fed(&foreign),
            Err(ReplyFault::Foreign { want: 3, got: 4 })
        ));
        let mut late = right();
        late.push(chunk(3, 128));
        assert!(matches!(fed(&late), Err(ReplyFault::End)));
    }

    #[test]
    fn whole_replies_are_checked_to_the_last_byte_of_the_text() {
        let right = format!(r##"{{"content":"#{:012}# {FILLER}"}}"##, 3);
        whole(right.as_bytes(), 3).expect("right");
        assert!(matches!(
            whole(right.as_bytes(), 4),
            Err(ReplyFault::Foreign { want: 4, got: 3 })
        ));
        let short = right.replace("here and elsewhere", "here");
        assert!(matches!(whole(short.as_bytes(), 3), Err(ReplyFault::Text)));
        assert!(whole(&right.as_bytes()[..right.len() - 1], 3).is_err());
        assert!(whole(b"{}", 3).is_err());
    }
}
