//! Hashing of block ids, which are hashes already.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from block ids.
pub(super) type IdMap<V> = HashMap<u64, V, BuildHasherDefault<Mix>>;

/// One multiplication, folded: ids in sequence, as some traces number theirs, still spread over the table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        let wide = u128::from(self.0 ^ id ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15_u128;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "both halves are used, each as 64 bits"
        )]
        let folded = (wide >> 64) as u64 ^ wide as u64;
        self.0 = folded;
    }
}
