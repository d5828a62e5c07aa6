//! The LoRA adapters that an engine has loaded, as it said itself or as it was asked to.

use std::{
    collections::BTreeSet,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

/// The most names that are kept of one engine.
const NAMES_AT_MOST: usize = 4_096;

/// Names of loaded adapters; most engines have none, and are asked without a lock.
#[derive(Debug, Default)]
pub struct Adapters {
    any: AtomicBool,
    added: AtomicU64,
    names: RwLock<BTreeSet<Box<str>>>,
}

impl Adapters {
    /// Whether `name` is loaded.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.any.load(Relaxed) && self.read().contains(name)
    }

    /// How many are loaded.
    #[must_use]
    pub fn count(&self) -> usize {
        if self.any.load(Relaxed) {
            self.read().len()
        } else {
            0
        }
    }

    /// Their names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.read().iter().map(|name| name.to_string()).collect()
    }

    /// These are loaded and no others. Says whether that is news.
    pub fn set<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let next: BTreeSet<Box<str>> = names
            .into_iter()
            .take(NAMES_AT_MOST)
            .map(Box::from)
            .collect();
        let mut names = self.write();
        let is_news = *names != next;
        *names = next;
        self.any.store(!names.is_empty(), Relaxed);
        is_news
    }

    /// `name` is loaded as well.
    pub fn add(&self, name: &str) {
        let mut names = self.write();
        if names.len() < NAMES_AT_MOST {
            names.insert(name.into());
            self.added.fetch_add(1, Relaxed);
            self.any.store(true, Relaxed);
        }
    }

    /// How often [`add`](Self::add) was called: a list that was asked for before may lack what has come since.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.added.load(Relaxed)
    }

    /// `name` is loaded no more.
    pub fn remove(&self, name: &str) {
        let mut names = self.write();
        names.remove(name);
        self.any.store(!names.is_empty(), Relaxed);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeSet<Box<str>>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeSet<Box<str>>> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_lists_counts_and_only_changes_are_news() {
        let adapters = Adapters::default();
        assert!(!adapters.has("sql") && !adapters.set([]));
        assert!(adapters.set(["sql", "law"]) && !adapters.set(["law", "sql"]));
        adapters.add("chess");
        adapters.remove("law");
        assert_eq!(adapters.names(), ["chess", "sql"]);
        assert_eq!((adapters.count(), adapters.has("law")), (2, false));
        assert!(adapters.set([]) && !adapters.has("sql"));
    }
}
