//! A JSON scanner that checks the grammar and skips what nobody asked for.
//!
//! One vectorised look over the whole body tells whether it is plain ASCII (then it is UTF-8 without further work) and
//! whether it holds control bytes (then each string is checked for them). Strings are skipped with `memchr2`.

use std::borrow::Cow;

use memchr::memchr2;

use super::{JsonKind, RequestError, Span};

/// Words of eight bytes looked at before the vector search.
const SHORT_WORDS: usize = 6;

/// The deepest nesting the bit stack of [`Scanner::skip_nested`] can hold.
const MAX_DEPTH: usize = 128;

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    depth_limit: usize,
    /// Levels opened by the callers of [`Self::enter`].
    depth: usize,
    has_control: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner over `bytes`, which are checked to be UTF-8.
    pub(super) fn new(bytes: &'a [u8], depth_limit: usize) -> Result<Self, RequestError> {
        let (mut any, mut has_control) = (0u8, false);
        for chunk in bytes.chunks(4096) {
            let (high, control) = chunk
                .iter()
                .fold((0u8, 0u8), |(h, c), b| (h | b, c | u8::from(*b < 0x20)));
            any |= high;
            has_control |= control != 0;
        }
        if any >= 0x80
            && let Err(error) = std::str::from_utf8(bytes)
        {
            return Err(RequestError::Utf8 {
                offset: error.valid_up_to(),
            });
        }
        Ok(Self {
            bytes,
            pos: 0,
            depth_limit: depth_limit.min(MAX_DEPTH),
            depth: 0,
            has_control,
        })
    }

    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// The next byte that is not white space, not consumed.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, RequestError> {
        while let Some(&byte) = self.bytes.get(self.pos) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.pos += 1;
        }
        Err(RequestError::Truncated {
            offset: self.bytes.len(),
        })
    }

    /// The type of the next value, told from its first byte.
    pub(super) fn kind(&mut self) -> Result<JsonKind, RequestError> {
        Ok(match self.peek()? {
            b'"' => JsonKind::String,
            b'{' => JsonKind::Object,
            b'[' => JsonKind::Array,
            b't' | b'f' => JsonKind::Bool,
            b'n' => JsonKind::Null,
            b'-' | b'0'..=b'9' => JsonKind::Number,
            _ => return Err(self.expected("a value")),
        })
    }

    /// Consumes the opening bracket of an array or object.
    pub(super) fn enter(&mut self) -> Result<(), RequestError> {
        self.depth += 1;
        if self.depth > self.depth_limit {
            return Err(RequestError::TooDeep {
                offset: self.pos,
                limit: self.depth_limit,
            });
        }
        self.pos += 1;
        Ok(())
    }

    /// Moves to the next member of the object entered: its key, or `None` at the end, which is consumed.
    pub(super) fn next_key(&mut self, first: bool) -> Result<Option<Span>, RequestError> {
        if self.at_end(b'}', first)? {
            return Ok(None);
        }
        if self.peek()? != b'"' {
            return Err(self.expected("a key"));
        }
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(self.expected("':'"));
        }
        self.pos += 1;
        Ok(Some(key))
    }

    /// Moves to the next element of the array entered; false at the end, which is consumed.
    pub(super) fn next_element(&mut self, first: bool) -> Result<bool, RequestError> {
        Ok(!self.at_end(b']', first)?)
    }

    fn at_end(&mut self, close: u8, first: bool) -> Result<bool, RequestError> {
        let byte = self.peek()?;
        if byte == close {
            self.pos += 1;
            self.depth -= 1;
            return Ok(true);
        }
        if first {
            return Ok(false);
        }
        if byte != b',' {
            return Err(self.expected(if close == b'}' {
                "',' or '}'"
            } else {
                "',' or ']'"
            }));
        }
        self.pos += 1;
        Ok(false)
    }

    /// Consumes a string; gives its contents without the quotes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Span, RequestError> {
        let start = self.pos + 1;
        let mut at = start;
        loop {
            at = self.quote_or_escape(at)?;
            if self.bytes[at] == b'"' {
                break;
            }
            at = self.escape(at)?;
        }
        self.pos = at + 1;
        if self.has_control
            && let Some(bad) = self.bytes[start..at].iter().position(|b| *b < 0x20)
        {
            return Err(RequestError::Syntax {
                offset: start + bad,
                expected: "no control character in a string",
            });
        }
        Ok(Span { start, end: at })
    }

    /// The next quote or backslash. Words of eight bytes first, as most strings and most stretches between two escapes
    /// are short; the vector search costs more to start and takes over for the long ones.
    #[inline]
    fn quote_or_escape(&self, from: usize) -> Result<usize, RequestError> {
        let mut at = from;
        for _ in 0..SHORT_WORDS {
            let Some(word) = self.bytes.get(at..at + 8) else {
                break;
            };
            let marks =
                quotes_and_escapes(u64::from_le_bytes(word.try_into().expect("eight bytes")));
            if marks != 0 {
                return Ok(at + marks.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        match memchr2(b'"', b'\\', &self.bytes[at..]) {
            Some(found) => Ok(at + found),
            None => Err(RequestError::Truncated {
                offset: self.bytes.len(),
            }),
        }
    }

    /// Checks the escape at `at`; gives the place after it.
    #[inline]
    fn escape(&self, at: usize) -> Result<usize, RequestError> {
        match self.bytes.get(at + 1) {
            None => Err(RequestError::Truncated {
                offset: self.bytes.len(),
            }),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => self.unicode_escape(at + 2),
            Some(_) => Err(RequestError::Syntax {
                offset: at + 1,
                expected: "an escape character",
            }),
        }
    }

    fn unicode_escape(&self, at: usize) -> Result<usize, RequestError> {
        let digits = &self.bytes[at..self.bytes.len().min(at + 4)];
        match digits.iter().position(|b| !b.is_ascii_hexdigit()) {
            Some(bad) => Err(RequestError::Syntax {
                offset: at + bad,
                expected: "four hex digits",
            }),
            None if digits.len() < 4 => Err(RequestError::Truncated {
                offset: self.bytes.len(),
            }),
            None => Ok(at + 4),
        }
    }

    /// Consumes a number; gives its bytes.
    pub(super) fn number(&mut self) -> Result<Span, RequestError> {
        let start = self.pos;
        self.eat(b"-");
        match self.bytes.get(self.pos) {
            Some(b'0') => self.pos += 1,
            _ => self.digits()?,
        }
        if self.eat(b".") {
            self.digits()?;
        }
        if self.eat(b"eE") {
            self.eat(b"+-");
            self.digits()?;
        }
        Ok(Span {
            start,
            end: self.pos,
        })
    }

    fn eat(&mut self, any_of: &[u8]) -> bool {
        let hit = self.bytes.get(self.pos).is_some_and(|b| any_of.contains(b));
        self.pos += usize::from(hit);
        hit
    }

    fn digits(&mut self) -> Result<(), RequestError> {
        let rest = &self.bytes[self.pos..];
        let count = rest
            .iter()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(rest.len());
        self.pos += count;
        if count > 0 {
            Ok(())
        } else {
            Err(self.expected("a digit"))
        }
    }

    /// Consumes `word`, which the next byte promised.
    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), RequestError> {
        let rest = &self.bytes[self.pos..];
        let same = rest
            .iter()
            .zip(word.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        self.pos += same;
        if same == word.len() {
            Ok(())
        } else {
            Err(self.expected(word))
        }
    }

    /// Consumes any value; gives its bytes.
    pub(super) fn skip(&mut self) -> Result<Span, RequestError> {
        let kind = self.kind()?;
        let start = self.pos;
        match kind {
            JsonKind::Array | JsonKind::Object => self.skip_nested(kind)?,
            _ => self.skip_scalar(kind)?,
        }
        Ok(Span {
            start,
            end: self.pos,
        })
    }

    fn skip_scalar(&mut self, kind: JsonKind) -> Result<(), RequestError> {
        match kind {
            JsonKind::String => self.string().map(drop),
            JsonKind::Number => self.number().map(drop),
            JsonKind::Null => self.literal("null"),
            _ if self.bytes[self.pos] == b't' => self.literal("true"),
            _ => self.literal("false"),
        }
    }

    /// Skips an array or object without recursion: one bit per open level says which of the two it is.
    fn skip_nested(&mut self, outer: JsonKind) -> Result<(), RequestError> {
        let base = self.depth;
        let mut objects = u128::from(outer == JsonKind::Object);
        self.enter()?;
        let mut first = true;
        while self.depth > base {
            let open = if objects & 1 == 1 {
                self.next_key(first)?.is_some()
            } else {
                self.next_element(first)?
            };
            first = false;
            if !open {
                objects >>= 1;
                continue;
            }
            match self.kind()? {
                kind @ (JsonKind::Array | JsonKind::Object) => {
                    self.enter()?;
                    objects = objects << 1 | u128::from(kind == JsonKind::Object);
                    first = true;
                }
                kind => self.skip_scalar(kind)?,
            }
        }
        Ok(())
    }

    /// Asserts that only white space is left.
    pub(super) fn finish(mut self) -> Result<(), RequestError> {
        match self.peek() {
            Ok(_) => Err(RequestError::Trailing { offset: self.pos }),
            Err(_) => Ok(()),
        }
    }

    /// The error for a byte that the grammar does not allow here, or for the end of the body.
    pub(super) fn expected(&self, expected: &'static str) -> RequestError {
        if self.pos >= self.bytes.len() {
            return RequestError::Truncated {
                offset: self.bytes.len(),
            };
        }
        RequestError::Syntax {
            offset: self.pos,
            expected,
        }
    }

    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        &self.bytes[span.start..span.end]
    }
}

/// The high bit of each byte that is a quote or a backslash. Exact up to the first such byte, which is all that counts.
#[inline]
fn quotes_and_escapes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64))
}

/// The text of raw string contents; `None` for a lone surrogate.
pub(super) fn decode_string(raw: &[u8]) -> Option<Cow<'_, str>> {
    if !raw.contains(&b'\\') {
        return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    serde_json::from_slice(&quoted).ok().map(Cow::Owned)
}
