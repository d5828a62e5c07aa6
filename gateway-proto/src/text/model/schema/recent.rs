//! Compiled schemas of the latest requests: clients send the same ones over and over.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::Compiled;
use super::bounds::SchemaError;

/// The most schemas that are kept.
const MOST_SCHEMAS: usize = 128;
/// The most memory that they are likely to hold together.
const MOST_BYTES: usize = 32 << 20;

/// A schema means the same for every model, so that all share these.
static RECENT: LazyLock<Mutex<Recent>> = LazyLock::new(Mutex::default);

/// The compiled form of a schema's JSON.
///
/// # Errors
/// Where it is no schema or one that is not taken; this is not remembered.
pub(in crate::text::model) fn compiled(text: &str) -> Result<Arc<Compiled>, SchemaError> {
    let recent = || RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = recent().find(text) {
        return Ok(known);
    }
    // Not under the lock: compiling takes its time.
    let new = Arc::new(Compiled::of(text)?);
    recent().keep(text, Arc::clone(&new));
    Ok(new)
}

/// The least recently used goes first.
#[derive(Default)]
pub(super) struct Recent {
    schemas: HashMap<Box<str>, Entry>,
    bytes: usize,
    uses: u64,
}

struct Entry {
    compiled: Arc<Compiled>,
    used: u64,
}

impl Recent {
    pub(super) fn find(&mut self, text: &str) -> Option<Arc<Compiled>> {
        self.uses += 1;
        let entry = self.schemas.get_mut(text)?;
        entry.used = self.uses;
        Some(Arc::clone(&entry.compiled))
    }

    pub(super) fn keep(&mut self, text: &str, compiled: Arc<Compiled>) {
        self.forget(text);
        let weight = compiled.weight_bytes();
        while self.schemas.len() >= MOST_SCHEMAS || self.bytes + weight > MOST_BYTES {
            let oldest = self.schemas.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(text, _)| text.clone()) else {
                return;
            };
            self.forget(&oldest);
        }
        self.uses += 1;
        self.bytes += weight;
        let used = self.uses;
        self.schemas.insert(text.into(), Entry { compiled, used });
    }

    fn forget(&mut self, text: &str) {
        if let Some(entry) = self.schemas.remove(text) {
            self.bytes -= entry.compiled.weight_bytes();
        }
    }

    /// Schemas kept, and their weight in bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.schemas.len(), self.bytes)
    }
}
