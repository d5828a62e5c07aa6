//! The alphabet of byte-level tokenizers: one printable character for every byte.

use std::sync::LazyLock;

/// Characters stand for bytes up to here.
const END: usize = 0x144;

/// Byte for a character, by code point; -1 where a character stands for none.
///
/// Printable Latin-1 stands for itself; the other 68 bytes follow from U+0100 on, in order (GPT-2's `bytes_to_unicode`).
static BYTES: LazyLock<[i16; END]> = LazyLock::new(|| {
    let mut table = [-1; END];
    let mut next = 0x100;
    for byte in 0..=255_u8 {
        let at = if matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff) {
            usize::from(byte)
        } else {
            next += 1;
            next - 1
        };
        table[at] = i16::from(byte);
    }
    table
});

/// Appends the bytes that a token stands for: its characters' bytes, or itself as it is if one of them stands for none.
pub(super) fn push_bytes(token: &str, out: &mut Vec<u8>) {
    let start = out.len();
    for character in token.chars() {
        let byte = BYTES.get(character as usize).copied().unwrap_or(-1);
        let Ok(byte) = u8::try_from(byte) else {
            out.truncate(start);
            out.extend_from_slice(token.as_bytes());
            return;
        };
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let mut bytes: Vec<i16> = BYTES.iter().copied().filter(|byte| *byte >= 0).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..256).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_outside_the_alphabet_stands_for_itself() {
        let mut out = Vec::new();
        push_bytes("\u{120}a\u{10a}", &mut out);
        assert_eq!(out, b" a\n");
        out.clear();
        push_bytes("<\u{ff5c}\u{120}>", &mut out);
        assert_eq!(out, "<\u{ff5c}\u{120}>".as_bytes());
    }
}
