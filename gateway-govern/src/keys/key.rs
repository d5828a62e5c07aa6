//! One key: what it is called and what it may do.

use std::sync::Arc;

use super::{Denied, KeyHash};

/// A key as configuration describes it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// The name shown in logs; unique on its ring.
    pub name: String,
    /// The stored form.
    pub hash: KeyHash,
    /// Models it may use by exact name; empty, or holding `*`, means all.
    pub models: Vec<String>,
    /// The end, in seconds since 1970; never where unset.
    pub expires_unix: Option<i64>,
    /// Whether it may ask for the explanation of a decision.
    pub explain: bool,
}

impl KeyEntry {
    /// A key for all models, without an end, that may not ask for explanations.
    #[must_use]
    pub fn new(name: impl Into<String>, hash: KeyHash) -> Self {
        Self {
            name: name.into(),
            hash,
            models: Vec::new(),
            expires_unix: None,
            explain: false,
        }
    }
}

/// A key on a ring, without its secret or the hash of it.
#[derive(Clone, Debug)]
pub struct Key {
    name: Arc<str>,
    /// Sorted; `None` for all.
    models: Option<Box<[String]>>,
    expires_unix: Option<i64>,
    explain: bool,
}

impl Key {
    pub(super) fn new(entry: KeyEntry) -> Self {
        let all = entry.models.is_empty() || entry.models.iter().any(|model| model == "*");
        let mut models = entry.models;
        models.sort_unstable();
        Self {
            name: entry.name.into(),
            models: (!all).then(|| models.into()),
            expires_unix: entry.expires_unix,
            explain: entry.explain,
        }
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether it may ask for the explanation of a decision.
    #[must_use]
    pub fn may_explain(&self) -> bool {
        self.explain
    }

    /// Whether it may use `model`.
    #[must_use]
    pub fn may_use(&self, model: &str) -> bool {
        self.models
            .as_ref()
            .is_none_or(|models| models.binary_search_by(|m| m.as_str().cmp(model)).is_ok())
    }

    /// Lets `model` pass.
    ///
    /// # Errors
    /// [`Denied::Model`] where the key may not use it.
    pub fn check_model(&self, model: &str) -> Result<(), Denied> {
        if self.may_use(model) {
            Ok(())
        } else {
            Err(Denied::Model(model.to_owned()))
        }
    }

    pub(super) fn check_time(&self, now_unix: i64) -> Result<(), Denied> {
        match self.expires_unix {
            Some(end) if now_unix >= end => Err(Denied::Expired),
            _ => Ok(()),
        }
    }
}
