//! The frames of `/dresult`.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// How large parts of a frame may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A request's id, in bytes.
    pub id_bytes: usize,
    /// What is said of it, in bytes; a whole answer comes in one piece.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            id_bytes: 1_024,
            body_bytes: 16 << 20,
        }
    }
}

/// What is said of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A piece of its answer, more of which comes.
    Data,
    /// The last piece of its answer, or all of it where it does not stream.
    Last,
    /// It has failed; the body is a sentence.
    Error,
    /// It was thrown out for want of room; the body is the request to send to a prefill engine to go on with it.
    Retry,
}

/// Something about one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The request's id, as the prefill leg named it.
    pub id: String,
    /// What it is.
    pub what: What,
    /// The bytes that the engine would send to a caller of its own.
    pub body: Bytes,
}

/// What a decode engine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// About one request.
    Part(Part),
    /// That it lives, after 5 s without anything else.
    Heartbeat,
    /// That somebody else listens from now on, and that this answer ends.
    Close,
}

/// What makes no sense in the answer of a decode engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DresultError {
    /// A field does not end; nothing more can be read.
    #[error("a field of more than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// A field without a word before it.
    #[error("a field that says not what it is")]
    NoWord,
    /// Something is said of no request.
    #[error("a part of an answer that belongs to no request")]
    NoRequest,
    /// A request's id is too long or no text.
    #[error("a request's id that none was given")]
    BadId,
}

impl DresultError {
    /// Whether nothing after it can be read. Of other faults only one field is lost.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::TooLong { .. })
    }
}

/// The longest word that starts a field, with its colon.
const WORD_BYTES: usize = 16;

/// Takes bytes in any split and gives messages.
///
/// Each message is a field `word:body` that ends with a NUL, one about a request behind a field `reqId:` of its own. Holds
/// what was fed and not yet read: memory is bounded by the limits plus one chunk where
/// [`next_message`](Self::next_message) is drained after each [`feed`](Self::feed).
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    input: BytesMut,
    /// Bytes of `input` known to hold no NUL.
    scanned: usize,
    id: Option<Result<String, DresultError>>,
    unknown: u64,
    failed: bool,
}

impl Decoder {
    /// A decoder at the start of an answer.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            input: BytesMut::new(),
            scanned: 0,
            id: None,
            unknown: 0,
            failed: false,
        }
    }

    /// Adds bytes of the answer.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !self.failed {
            self.input.extend_from_slice(chunk);
        }
    }

    /// The next message, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// For a field that makes no sense. Where that [is fatal](DresultError::is_fatal), nothing more is given.
    pub fn next_message(&mut self) -> Result<Option<Message>, DresultError> {
        while let Some(field) = self.next_field()? {
            if let Some(message) = self.read(field)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Fields of a word that nobody here knows, which were left out.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    fn next_field(&mut self) -> Result<Option<Bytes>, DresultError> {
        if self.failed {
            return Ok(None);
        }
        let limit_bytes = self.limits.body_bytes.saturating_add(WORD_BYTES);
        let end = memchr(0, &self.input[self.scanned..]).map(|at| self.scanned + at);
        if end.unwrap_or(self.input.len()) > limit_bytes {
            self.failed = true;
            self.input = BytesMut::new();
            return Err(DresultError::TooLong {
                limit_bytes: self.limits.body_bytes,
            });
        }
        let Some(end) = end else {
            self.scanned = self.input.len();
            return Ok(None);
        };
        self.scanned = 0;
        let field = self.input.split_to(end);
        self.input.advance(1);
        Ok(Some(field.freeze()))
    }

    /// Reads one field; `None` of one that only begins a message, or says nothing.
    fn read(&mut self, mut field: Bytes) -> Result<Option<Message>, DresultError> {
        if field.is_empty() {
            return Ok(None);
        }
        let colon = memchr(b':', &field).ok_or(DresultError::NoWord)?;
        let word = field.split_to(colon);
        field.advance(1);
        let what = match &*word {
            b"reqId" => {
                self.id = Some(self.read_id(&field));
                return Ok(None);
            }
            b"ka" => return Ok(Some(Message::Heartbeat)),
            b"close" => {
                self.id = None;
                return Ok(Some(Message::Close));
            }
            b"data" => What::Data,
            b"lastData" => What::Last,
            b"error" => What::Error,
            b"retry" => What::Retry,
            _ => {
                self.id = None;
                self.unknown += 1;
                return Ok(None);
            }
        };
        let id = self.id.take().ok_or(DresultError::NoRequest)??;
        let part = Part {
            id,
            what,
            body: field,
        };
        Ok(Some(Message::Part(part)))
    }

    fn read_id(&self, id: &[u8]) -> Result<String, DresultError> {
        let is_good = !id.is_empty() && id.len() <= self.limits.id_bytes;
        let text = std::str::from_utf8(id).ok().filter(|_| is_good);
        text.map(str::to_owned).ok_or(DresultError::BadId)
    }
}
