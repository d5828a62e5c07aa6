//! Bytes to text, with what is no UTF-8 replaced.

use std::str;

/// An incomplete character at the end of what came so far: at most three bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Utf8 {
    pending: Vec<u8>,
}

impl Utf8 {
    /// Appends all characters that are complete by now. Each run of bytes that can belong to no character becomes one
    /// U+FFFD, in the way of [`String::from_utf8_lossy`].
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut String) {
        if self.pending.is_empty() {
            let taken = take(bytes, out);
            self.pending.extend_from_slice(&bytes[taken..]);
        } else {
            self.pending.extend_from_slice(bytes);
            let taken = take(&self.pending, out);
            self.pending.drain(..taken);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// No more bytes come: of an incomplete character nothing is shown.
    pub(super) fn finish(&mut self) {
        self.pending.clear();
    }
}

/// Appends what is certain and returns how many bytes that took.
fn take(bytes: &[u8], out: &mut String) -> usize {
    let mut at = 0;
    loop {
        match str::from_utf8(&bytes[at..]) {
            Ok(text) => {
                out.push_str(text);
                return bytes.len();
            }
            Err(error) => {
                let valid = at + error.valid_up_to();
                let text = str::from_utf8(&bytes[at..valid]).expect("checked to be valid");
                out.push_str(text);
                let Some(invalid) = error.error_len() else {
                    return valid;
                };
                out.push(char::REPLACEMENT_CHARACTER);
                at = valid + invalid;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte() -> impl Strategy<Value = u8> {
        // Mostly parts of characters, so that runs of them are complete, cut and wrong in every way.
        prop_oneof![any::<u8>(), 0x80..=0xbf_u8, 0xe0..=0xf4_u8]
    }

    proptest! {
        #[test]
        fn any_split_gives_what_the_whole_gives(
            chunks in proptest::collection::vec(proptest::collection::vec(byte(), 0..5), 0..12),
        ) {
            let (mut utf8, mut out) = (Utf8::default(), String::new());
            for chunk in &chunks {
                utf8.push(chunk, &mut out);
                prop_assert!(utf8.pending.len() < 4);
            }
            let cut = utf8.pending.len();
            utf8.finish();
            prop_assert!(utf8.is_empty());
            let whole = chunks.concat();
            prop_assert_eq!(out, String::from_utf8_lossy(&whole[..whole.len() - cut]));
        }
    }
}
