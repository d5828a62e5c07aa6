//! The top-level keys that a router reads.

use super::RequestError;

macro_rules! keys {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A key that is read; every other is skipped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Key { $($variant),* }

        impl Key {
            /// The key with this name.
            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Its name.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

keys! {
    Model = "model",
    Messages = "messages",
    Prompt = "prompt",
    Tools = "tools",
    Stream = "stream",
    StreamOptions = "stream_options",
    N = "n",
    BestOf = "best_of",
    MaxTokens = "max_tokens",
    MaxCompletionTokens = "max_completion_tokens",
    Temperature = "temperature",
    TopP = "top_p",
    PresencePenalty = "presence_penalty",
    FrequencyPenalty = "frequency_penalty",
    Priority = "priority",
    User = "user",
    PromptCache = "prompt_cache_key",
    SessionId = "session_id",
    CacheSalt = "cache_salt",
}

/// The keys met so far.
#[derive(Debug, Default)]
pub(super) struct Seen(u32);

impl Seen {
    /// Notes a key.
    ///
    /// # Errors
    /// [`RequestError::Duplicate`] if it was met before.
    pub(super) fn note(&mut self, key: Key) -> Result<(), RequestError> {
        let bit = 1u32 << key as u32;
        if self.0 & bit != 0 {
            return Err(RequestError::Duplicate { key: key.name() });
        }
        self.0 |= bit;
        Ok(())
    }
}
