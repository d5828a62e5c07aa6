//! JSON written straight into a buffer, for the stream encoders: no tree, no copy but the one into the buffer.

use serde::Serialize;

/// What follows the backslash for a control character; `u` stands for the long form.
const CONTROL: [u8; 32] = *b"uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

/// Appends `s` as a JSON string, quotes included. Only what JSON demands is escaped, so text in any language stays as
/// it is.
pub(crate) fn push_str(out: &mut Vec<u8>, s: &str) {
    out.push(b'"');
    push_str_escaped(out, s);
    out.push(b'"');
}

/// Appends the inside of a JSON string: `s` escaped, without quotes. Pieces escaped one by one make up the whole
/// escaped at once.
pub(crate) fn push_str_escaped(out: &mut Vec<u8>, s: &str) {
    let mut rest = s.as_bytes();
    loop {
        let plain = plain_len(rest);
        out.extend_from_slice(&rest[..plain]);
        let Some(&special) = rest.get(plain) else {
            return;
        };
        push_escape(out, special);
        rest = &rest[plain + 1..];
    }
}

/// Appends a whole number.
pub(crate) fn push_u64(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(n % 10).expect("a digit");
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a string, or `null`.
pub(crate) fn push_opt_str(out: &mut Vec<u8>, s: Option<&str>) {
    match s {
        Some(s) => push_str(out, s),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends the JSON of anything else. Slower than the others: for what is written once, as a head or an ending.
///
/// # Panics
/// For a value that is no JSON, as a map with keys other than strings.
pub(crate) fn push_value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("our own types are JSON and memory takes it");
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    match CONTROL.get(usize::from(byte)) {
        None => out.extend_from_slice(&[b'\\', byte]),
        Some(b'u') => {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[high], HEX[low]]);
        }
        Some(&short) => out.extend_from_slice(&[b'\\', short]),
    }
}

/// How many bytes go out as they are before the first one that needs an escape.
fn plain_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let special = special_bytes(word);
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let tail = words.remainder();
    at + tail.iter().position(special).unwrap_or(tail.len())
}

/// The high bit of each byte that needs an escape. Exact up to the first such byte, which is all that counts.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & (ONES << 7);
    below(word, 0x20)
        | below(word ^ (ONES * u64::from(b'"')), 1)
        | below(word ^ (ONES * u64::from(b'\\')), 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(s: &str) -> String {
        let mut out = Vec::new();
        push_str(&mut out, s);
        String::from_utf8(out).expect("UTF-8 stays UTF-8")
    }

    #[test]
    fn every_byte_of_ascii_at_every_place_of_a_word() {
        for byte in 0..0x80_u8 {
            for before in 0..17 {
                let text = format!("{}{}tail", "é".repeat(before), char::from(byte));
                let expected = serde_json::to_string(&text).expect("a string");
                assert_eq!(written(&text), expected);
            }
        }
    }

    #[test]
    fn absent_strings_and_other_values() {
        let mut out = Vec::new();
        push_opt_str(&mut out, None);
        push_opt_str(&mut out, Some("a"));
        push_value(&mut out, &[1.5]);
        assert_eq!(out, b"null\"a\"[1.5]");
    }

    proptest! {
        #[test]
        fn strings_as_serde_writes_them(text in any::<String>()) {
            prop_assert_eq!(written(&text), serde_json::to_string(&text).expect("a string"));
        }

        #[test]
        fn pieces_make_up_the_whole(a in "[ -~\n\u{e9}]{0,20}", b in any::<String>()) {
            let (mut pieces, mut whole) = (Vec::new(), Vec::new());
            push_str_escaped(&mut pieces, &a);
            push_str_escaped(&mut pieces, &b);
            push_str_escaped(&mut whole, &format!("{a}{b}"));
            prop_assert_eq!(pieces, whole);
        }

        #[test]
        fn numbers(n in any::<u64>(), shift in 0..64_u32) {
            let mut out = Vec::new();
            push_u64(&mut out, n >> shift);
            prop_assert_eq!(String::from_utf8(out).expect("ASCII"), (n >> shift).to_string());
        }
    }
}
