//! The frames around a batch, as vLLM and SGLang send them (`ZmqEventPublisher` in both).

use super::FrameError;

/// The frame that stands for the end of a replay: -1.
const END: u64 = u64::MAX;

/// One published message: `[topic] [sequence] [payload]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames<'a> {
    /// What subscribers filter by; often empty.
    pub topic: &'a [u8],
    /// Numbers a publisher's messages from 0.
    pub seq: u64,
    /// One batch, for [`decode`](super::decode).
    pub payload: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Reads a published message.
    ///
    /// # Errors
    /// Where it has not three frames, or the second not 8 bytes.
    pub fn parse(frames: &[&'a [u8]]) -> Result<Self, FrameError> {
        match *frames {
            [topic, seq, payload] => Ok(Self {
                topic,
                seq: sequence(seq)?,
                payload,
            }),
            _ => Err(FrameError::Frames {
                found: frames.len(),
            }),
        }
    }
}

/// One answer to a replay request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay<'a> {
    /// A message as it was published.
    Message(Frames<'a>),
    /// There are no more.
    End,
}

impl<'a> Replay<'a> {
    /// The two frames that ask for all messages from `from` on that the engine still has.
    #[must_use]
    pub fn request(from: u64) -> [Vec<u8>; 2] {
        [Vec::new(), from.to_be_bytes().to_vec()]
    }

    /// Reads one answer: `[empty] [topic] [sequence] [payload]`, without the topic from engines up to vLLM 0.24, and
    /// without the empty frame where a socket strips it.
    ///
    /// # Errors
    /// Where the frames fit none of these forms.
    pub fn parse(frames: &[&'a [u8]]) -> Result<Self, FrameError> {
        let (topic, seq, payload) = match *frames {
            [b"", topic, seq, payload] => (topic, seq, payload),
            // An older answer with its delimiter, or a newer one that lost it: both have three frames.
            [topic, seq, payload] => (topic, seq, payload),
            [seq, payload] => (&[][..], seq, payload),
            _ => {
                return Err(FrameError::Frames {
                    found: frames.len(),
                });
            }
        };
        let seq = sequence(seq)?;
        if seq == END && payload.is_empty() {
            return Ok(Self::End);
        }
        Ok(Self::Message(Frames {
            topic,
            seq,
            payload,
        }))
    }
}

fn sequence(frame: &[u8]) -> Result<u64, FrameError> {
    let bytes = frame
        .try_into()
        .map_err(|_| FrameError::Sequence { found: frame.len() })?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 5];

    #[test]
    fn a_message_has_three_frames() {
        let frames = Frames::parse(&[b"kv", &FIVE, b"xyz"]).expect("three frames");
        assert_eq!((frames.topic, frames.seq), (&b"kv"[..], 5));
        assert_eq!(frames.payload, b"xyz");
        assert_eq!(
            Frames::parse(&[b"kv", &FIVE]),
            Err(FrameError::Frames { found: 2 })
        );
        assert_eq!(
            Frames::parse(&[b"kv", &FIVE[1..], b""]),
            Err(FrameError::Sequence { found: 7 })
        );
    }

    #[test]
    fn replays_are_read_with_and_without_topic_and_delimiter() {
        let message = |topic| {
            Ok(Replay::Message(Frames {
                topic,
                seq: 5,
                payload: b"xyz",
            }))
        };
        assert_eq!(Replay::parse(&[b"", b"kv", &FIVE, b"xyz"]), message(b"kv"));
        assert_eq!(Replay::parse(&[b"kv", &FIVE, b"xyz"]), message(b"kv"));
        assert_eq!(Replay::parse(&[b"", &FIVE, b"xyz"]), message(b""));
        assert_eq!(Replay::parse(&[&FIVE, b"xyz"]), message(b""));
        assert_eq!(
            Replay::parse(&[b"x", b"kv", &FIVE, b"xyz"]),
            Err(FrameError::Frames { found: 4 })
        );
    }

    #[test]
    fn replays_end_with_minus_one() {
        let end = [0xff_u8; 8];
        assert_eq!(Replay::parse(&[b"", b"", &end, b""]), Ok(Replay::End));
        assert_eq!(Replay::parse(&[b"", &end, b""]), Ok(Replay::End));
        assert_eq!(Replay::request(5), [Vec::new(), FIVE.to_vec()]);
    }
}
