//! The LoRA adapters that an engine has loaded, as it said itself or as it was asked to, and those it computes for.

use std::{
    collections::BTreeSet,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use super::AdapterUse;

/// The most names that are kept of one engine.
const NAMES_AT_MOST: usize = 4_096;

/// Names of loaded adapters; most engines have none, and are asked without a lock.
#[derive(Debug, Default)]
pub struct Adapters {
    any: AtomicBool,
    is_told: AtomicBool,
    added: AtomicU64,
    names: RwLock<BTreeSet<Box<str>>>,
    /// Whether `usage` holds anything.
    tells_use: AtomicBool,
    usage: RwLock<Option<AdapterUse>>,
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
        self.is_told.store(true, Relaxed);
        self.any.store(!names.is_empty(), Relaxed);
        is_news
    }

    /// Whether a list was [set](Self::set) ever, be it an empty one.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.is_told.load(Relaxed)
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

    /// What the engine said last of whom it computes for; `None` where it did not say.
    pub fn used(&self, usage: Option<AdapterUse>) {
        if usage.is_none() && !self.tells_use.load(Relaxed) {
            return;
        }
        let mut held = self.usage.write().unwrap_or_else(PoisonError::into_inner);
        self.tells_use.store(usage.is_some(), Relaxed);
        *held = usage;
    }

    /// The same, to be looked at.
    #[must_use]
    pub fn usage(&self) -> Option<AdapterUse> {
        self.of_use(Clone::clone)
    }

    /// Whether requests for `name` are in the engine's batch; `None` of an engine that does not say.
    #[must_use]
    pub fn runs(&self, name: &str) -> Option<bool> {
        self.of_use(|usage| usage.runs(name))
    }

    /// Different adapters that the engine's batch has places for, where it says so.
    #[must_use]
    pub fn slots(&self) -> Option<u32> {
        self.of_use(|usage| usage.slots).flatten()
    }

    /// Whether a request for `name` would have to wait there for another adapter's place
    /// ([`AdapterUse::is_full_for`]); never of an engine that does not say.
    #[must_use]
    pub fn is_full_for(&self, name: &str) -> bool {
        self.of_use(|usage| usage.is_full_for(name))
            .unwrap_or(false)
    }

    fn of_use<T>(&self, of: impl FnOnce(&AdapterUse) -> T) -> Option<T> {
        if !self.tells_use.load(Relaxed) {
            return None;
        }
        let held = self.usage.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(of)
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
        assert!(!adapters.has("sql") && !adapters.is_told());
        assert!(!adapters.set([]) && adapters.is_told());
        assert!(adapters.set(["sql", "law"]) && !adapters.set(["law", "sql"]));
        adapters.add("chess");
        adapters.remove("law");
        assert_eq!(adapters.names(), ["chess", "sql"]);
        assert_eq!((adapters.count(), adapters.has("law")), (2, false));
        assert!(adapters.set([]) && !adapters.has("sql"));
    }

    #[test]
    fn whom_an_engine_computes_for_counts_until_it_says_no_more() {
        let adapters = Adapters::default();
        assert_eq!(
            (adapters.runs("sql"), adapters.is_full_for("sql")),
            (None, false)
        );
        let usage = AdapterUse {
            slots: Some(1),
            running: vec!["law".to_owned()],
            ..AdapterUse::default()
        };
        adapters.used(Some(usage.clone()));
        assert_eq!(adapters.usage(), Some(usage));
        assert_eq!(
            (adapters.runs("law"), adapters.runs("sql")),
            (Some(true), Some(false))
        );
        assert!(adapters.is_full_for("sql") && !adapters.is_full_for("law"));
        adapters.used(None);
        assert_eq!(
            (adapters.runs("law"), adapters.is_full_for("sql")),
            (None, false)
        );
    }
}
