//! Tables keyed by numbers that are hashes already, or count up.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A table keyed by block hashes, engine hashes or block numbers.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// One multiplication, folded: quick for keys that are hashes already, and numbers in sequence still spread over the table.
/// Not for keys that an attacker may choose to slow a table down.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "both halves are used, each as 64 bits"
    )]
    fn write_u64(&mut self, id: u64) {
        let wide = u128::from(self.0 ^ id) * u128::from(GOLDEN);
        self.0 = wide as u64 ^ (wide >> 64) as u64;
    }
}
