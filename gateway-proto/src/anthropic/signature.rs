//! The signature under a thinking block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use xxhash_rust::xxh3::Xxh3;

/// Names the kind of tag, so that another kind can follow.
const VERSION: [u8; 2] = [0x67, 0x01];

/// A tag over the text of one thinking block, made as the text comes.
///
/// The API wants each thinking block signed and clients send the signature back unread. Here it is a plain digest: it
/// tells a block that was damaged, and it proves nothing, since anybody can make it.
#[derive(Default)]
pub(super) struct Tag(Box<Xxh3>);

impl Tag {
    /// The tag of a whole text.
    pub(super) fn of(text: &str) -> String {
        let mut tag = Self::default();
        tag.update(text);
        tag.finish()
    }

    /// Takes in more of the text.
    pub(super) fn update(&mut self, text: &str) {
        self.0.update(text.as_bytes());
    }

    /// The tag, in base64.
    pub(super) fn finish(&self) -> String {
        let digest = self.0.digest128().to_be_bytes();
        let mut bytes = [0; VERSION.len() + 16];
        bytes[..VERSION.len()].copy_from_slice(&VERSION);
        bytes[VERSION.len()..].copy_from_slice(&digest);
        STANDARD.encode(bytes)
    }
}
