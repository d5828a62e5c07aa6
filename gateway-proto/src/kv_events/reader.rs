//! MessagePack, as far as these events need it: a place in the payload that moves on.

use rmp::Marker;

use super::KvEventError;

/// A place in a payload. No value is larger than what is left of the payload, so nothing it reads is either.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes from `from` up to here.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        &self.bytes[from..self.at]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The type of the next value, which stays unread.
    pub(super) fn peek(&self) -> Result<Marker, KvEventError> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(Marker::from_u8(*byte)),
            None => Err(KvEventError::Truncated { at: self.at }),
        }
    }

    /// Reads a nil if there is one.
    pub(super) fn nil(&mut self) -> Result<bool, KvEventError> {
        let is_nil = self.peek()? == Marker::Null;
        self.at += usize::from(is_nil);
        Ok(is_nil)
    }

    /// The number of elements of an array.
    pub(super) fn array(&mut self) -> Result<usize, KvEventError> {
        let start = self.at;
        let count = match self.marker()? {
            Marker::FixArray(count) => u64::from(count),
            Marker::Array16 => self.number(2, start)?,
            Marker::Array32 => self.number(4, start)?,
            _ => return Err(unexpected(start, "an array")),
        };
        self.fits(count, count, start)
    }

    /// The number of pairs of a map.
    pub(super) fn map(&mut self) -> Result<usize, KvEventError> {
        let start = self.at;
        let count = match self.marker()? {
            Marker::FixMap(count) => u64::from(count),
            Marker::Map16 => self.number(2, start)?,
            Marker::Map32 => self.number(4, start)?,
            _ => return Err(unexpected(start, "a map")),
        };
        self.fits(count, count * 2, start)
    }

    /// The bits of an integer, negative ones as two's complement of 64 bits.
    #[inline]
    pub(super) fn integer(&mut self) -> Result<u64, KvEventError> {
        let start = self.at;
        let marker = self.marker()?;
        let bits = match marker {
            Marker::FixPos(small) => u64::from(small),
            Marker::FixNeg(small) => i64::from(small).cast_unsigned(),
            Marker::U8 => self.number(1, start)?,
            Marker::U16 => self.number(2, start)?,
            Marker::U32 => self.number(4, start)?,
            Marker::U64 | Marker::I64 => self.number(8, start)?,
            Marker::I8 => sign_extended(self.number(1, start)?, 8),
            Marker::I16 => sign_extended(self.number(2, start)?, 16),
            Marker::I32 => sign_extended(self.number(4, start)?, 32),
            _ => return Err(unexpected(start, "an integer")),
        };
        Ok(bits)
    }

    /// A number as a float.
    pub(super) fn float(&mut self) -> Result<f64, KvEventError> {
        let start = self.at;
        match self.marker()? {
            Marker::F64 => Ok(f64::from_bits(self.number(8, start)?)),
            Marker::F32 => {
                let bits = u32::try_from(self.number(4, start)?).unwrap_or(0);
                Ok(f64::from(f32::from_bits(bits)))
            }
            _ => {
                self.at = start;
                let bits = self.integer();
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "whole seconds stay far below 2^53"
                )]
                bits.map(|bits| bits.cast_signed() as f64)
                    .map_err(|_| unexpected(start, "a number"))
            }
        }
    }

    /// The bytes of a string or of binary data.
    pub(super) fn text(&mut self) -> Result<&'a [u8], KvEventError> {
        let start = self.at;
        let len = match self.marker()? {
            Marker::FixStr(len) => u64::from(len),
            Marker::Str8 | Marker::Bin8 => self.number(1, start)?,
            Marker::Str16 | Marker::Bin16 => self.number(2, start)?,
            Marker::Str32 | Marker::Bin32 => self.number(4, start)?,
            _ => return Err(unexpected(start, "a string")),
        };
        self.take(len, start)
    }

    /// Passes over one value with all that it contains. Counts what is open instead of descending, so depth costs nothing.
    pub(super) fn skip(&mut self) -> Result<(), KvEventError> {
        let mut open = 1_u64;
        while open > 0 {
            open -= 1;
            open += self.skip_one()?;
        }
        Ok(())
    }

    /// Passes over a value's head and own bytes; gives how many values it contains.
    fn skip_one(&mut self) -> Result<u64, KvEventError> {
        let start = self.at;
        match self.peek()? {
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                return self.array().map(|count| count as u64);
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
                return self.map().map(|count| count as u64 * 2);
            }
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                return self.text().map(|_| 0);
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => return self.text().map(|_| 0),
            _ => {}
        }
        let len = match self.marker()? {
            Marker::U8 | Marker::I8 => 1,
            Marker::U16 | Marker::I16 | Marker::FixExt1 => 2,
            Marker::FixExt2 => 3,
            Marker::U32 | Marker::I32 | Marker::F32 => 4,
            Marker::FixExt4 => 5,
            Marker::U64 | Marker::I64 | Marker::F64 => 8,
            Marker::FixExt8 => 9,
            Marker::FixExt16 => 17,
            Marker::Ext8 => self.number(1, start)? + 1,
            Marker::Ext16 => self.number(2, start)? + 1,
            Marker::Ext32 => self.number(4, start)? + 1,
            Marker::Reserved => return Err(unexpected(start, "a value")),
            _ => 0,
        };
        self.take(len, start).map(|_| 0)
    }

    #[inline]
    fn marker(&mut self) -> Result<Marker, KvEventError> {
        let marker = self.peek()?;
        self.at += 1;
        Ok(marker)
    }

    /// A big-endian number of `len` bytes, at most 8.
    #[inline]
    fn number(&mut self, len: usize, start: usize) -> Result<u64, KvEventError> {
        let Some(bytes) = self.bytes.get(self.at..self.at + len) else {
            return Err(KvEventError::Truncated { at: start });
        };
        self.at += len;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, len: u64, start: usize) -> Result<&'a [u8], KvEventError> {
        let left = &self.bytes[self.at..];
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let taken = left
            .get(..len)
            .ok_or(KvEventError::Truncated { at: start })?;
        self.at += len;
        Ok(taken)
    }

    /// A count, if the payload has at least a byte for each of so many values.
    fn fits(&self, count: u64, values: u64, start: usize) -> Result<usize, KvEventError> {
        if values > (self.bytes.len() - self.at) as u64 {
            return Err(KvEventError::Count { at: start, count });
        }
        usize::try_from(count).map_err(|_| KvEventError::Count { at: start, count })
    }
}

fn sign_extended(bits: u64, width: u32) -> u64 {
    let shift = u64::BITS - width;
    ((bits << shift).cast_signed() >> shift).cast_unsigned()
}

pub(super) fn unexpected(at: usize, expected: &'static str) -> KvEventError {
    KvEventError::Unexpected { at, expected }
}
