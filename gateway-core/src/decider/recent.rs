//! A map of bounded size that forgets what is oldest.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher, Hash},
    mem,
};

/// Equal in every process, so that equal input is forgotten in equal order.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// Two generations: when the young one is full it becomes the old one, and the old one goes.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: Map<K, V>,
    old: Map<K, V>,
    half: usize,
    forgotten: u64,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// A map of `most` entries, of which the last half always stays.
    pub(super) fn new(most: usize) -> Self {
        Self {
            young: Map::default(),
            old: Map::default(),
            half: (most / 2).max(1),
            forgotten: 0,
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.young.get_mut(key) {
            Some(value) => Some(value),
            None => self.old.get_mut(key),
        }
    }

    /// Whether it was entered lately, and will be there for another half.
    pub(super) fn is_young(&self, key: &K) -> bool {
        self.young.contains_key(key)
    }

    /// Enters a value; gives the one it replaces.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.remove(&key);
        if self.young.len() >= self.half {
            let gone = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.forgotten += gone.len() as u64;
        }
        self.young.insert(key, value);
        before
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// How many entries went for want of room.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_half_stays_and_the_whole_is_bounded() {
        let mut recent = Recent::new(100);
        for n in 0..1_000_u32 {
            assert_eq!(recent.insert(n, n), None);
            assert!(recent.young.len() + recent.old.len() <= 100);
            for kept in n.saturating_sub(49)..=n {
                assert_eq!(recent.get(&kept), Some(&kept));
            }
        }
        assert_eq!(recent.get(&0), None);
        assert_eq!(recent.forgotten(), 900);
    }

    #[test]
    fn what_is_entered_again_is_replaced_wherever_it_was() {
        let mut recent = Recent::new(4);
        for n in 0..3 {
            recent.insert(n, 'a');
        }
        assert!(!recent.is_young(&0));
        assert_eq!(recent.insert(0, 'b'), Some('a'));
        assert!(recent.is_young(&0));
        *recent.get_mut(&1).expect("old, not gone") = 'c';
        assert_eq!((recent.remove(&1), recent.remove(&1)), (Some('c'), None));
    }
}
