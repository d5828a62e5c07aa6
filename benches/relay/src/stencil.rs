//! Message bytes prepared once; a request, reply or chunk is a copy with its numbers filled in.

use memchr::memmem;

/// Stands for the request's serial number in the text a stencil is cut from.
pub(crate) const SERIAL: &str = "SERIALSERIAL";
/// Stands for a chunk's index within its stream.
pub(crate) const INDEX: &str = "INDX";
/// Stands for the clock reading of the write.
pub(crate) const NANOS: &str = "NANOSECONDSTAMP0";

/// Digits of a serial number.
pub(crate) const SERIAL_DIGITS: usize = SERIAL.len();
/// Digits of a chunk index.
pub(crate) const INDEX_DIGITS: usize = INDEX.len();
/// Digits of a clock reading.
pub(crate) const NANOS_DIGITS: usize = NANOS.len();

/// Bytes with marked places for zero-padded numbers, so that the length never changes.
#[derive(Debug, Clone)]
pub(crate) struct Stencil {
    bytes: Vec<u8>,
    serials: Vec<usize>,
    indices: Vec<usize>,
    nanos: Vec<usize>,
}

impl Stencil {
    /// Finds the places in `text`.
    pub(crate) fn cut(text: String) -> Self {
        let bytes = text.into_bytes();
        let places = |mark: &str| memmem::find_iter(&bytes, mark).collect();
        Self {
            serials: places(SERIAL),
            indices: places(INDEX),
            nanos: places(NANOS),
            bytes,
        }
    }

    /// Appends a copy with the numbers filled in.
    pub(crate) fn stamp(&self, out: &mut Vec<u8>, serial: u64, index: u64, nanos: u64) {
        let base = out.len();
        out.extend_from_slice(&self.bytes);
        let copy = &mut out[base..];
        for &at in &self.serials {
            write_digits(&mut copy[at..at + SERIAL_DIGITS], serial);
        }
        for &at in &self.indices {
            write_digits(&mut copy[at..at + INDEX_DIGITS], index);
        }
        for &at in &self.nanos {
            write_digits(&mut copy[at..at + NANOS_DIGITS], nanos);
        }
    }
}

/// Writes `value` in decimal, zero-padded; high digits that do not fit are lost.
fn write_digits(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).expect("a remainder of ten fits a byte");
        value /= 10;
    }
}

/// Reads decimal digits; `None` when any byte is something else or the number too large.
pub(crate) fn read_digits(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_land_in_their_places() {
        let stencil = Stencil::cut(format!("a {SERIAL} b {INDEX} c {NANOS} d {SERIAL}"));
        let mut out = b"kept ".to_vec();
        stencil.stamp(&mut out, 42, 7, 123_456);
        assert_eq!(
            out,
            b"kept a 000000000042 b 0007 c 0000000000123456 d 000000000042"
        );
    }

    #[test]
    fn digits_round_trip_and_refuse_the_rest() {
        let mut digits = [0; SERIAL_DIGITS];
        write_digits(&mut digits, 987_654);
        assert_eq!(read_digits(&digits), Some(987_654));
        assert_eq!(read_digits(b"12x4"), None);
        assert_eq!(read_digits(&[b'9'; 30]), None);
    }
}
