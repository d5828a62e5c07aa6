//! The LoRA adapters that an engine has loaded.

use std::sync::{Mutex, PoisonError};

/// Their names, in the order of loading.
#[derive(Debug)]
pub(super) struct Adapters(Mutex<Vec<String>>);

impl Adapters {
    pub(super) const fn new(names: Vec<String>) -> Self {
        Self(Mutex::new(names))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.lock().clone()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.lock().iter().any(|known| known == name)
    }

    /// Loads one. False where it is there already.
    pub(super) fn load(&self, name: &str) -> bool {
        let mut names = self.lock();
        let is_new = !names.iter().any(|known| known == name);
        if is_new {
            names.push(name.to_owned());
        }
        is_new
    }

    /// Unloads one. False where it is not there.
    pub(super) fn unload(&self, name: &str) -> bool {
        let mut names = self.lock();
        let before = names.len();
        names.retain(|known| known != name);
        names.len() < before
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
