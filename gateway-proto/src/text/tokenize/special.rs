//! The special tokens that templates and stop rules name.

use std::collections::BTreeMap;

/// Special tokens by name, such as `bos_token` and `eos_token`, each with its text and its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    named: BTreeMap<&'static str, (String, Option<u32>)>,
}

impl SpecialTokens {
    pub(super) fn new(named: impl Iterator<Item = (&'static str, String, Option<u32>)>) -> Self {
        let named = named.map(|(name, text, id)| (name, (text, id))).collect();
        Self { named }
    }

    /// The text of the token called `name`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(|(text, _)| &**text)
    }

    /// The id of the token called `name`.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<u32> {
        self.named.get(name).and_then(|(_, id)| *id)
    }

    /// All of them, as name and text: the variables that a chat template sees.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.named.iter().map(|(name, (text, _))| (*name, &**text))
    }
}
