//! Token counts in the words of every API that engines speak.

use serde::Deserialize;

use crate::ir::Usage;

/// What a stream or reply has told of its cost so far; parts of it come apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    prompt: Option<u64>,
    cached: Option<u64>,
    completion: Option<u64>,
    reasoning: Option<u64>,
}

impl Counts {
    /// Reads the object that `json` begins with; `None` where it counts nothing.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let mut objects = serde_json::Deserializer::from_slice(json).into_iter::<Wire>();
        let counts = objects.next()?.ok()?.counts();
        (counts.prompt.is_some() || counts.completion.is_some()).then_some(counts)
    }

    /// What is told now counts; what is not stays.
    pub(super) fn update(&mut self, now: Self) {
        self.prompt = now.prompt.or(self.prompt);
        self.cached = now.cached.or(self.cached);
        self.completion = now.completion.or(self.completion);
        self.reasoning = now.reasoning.or(self.reasoning);
    }

    /// The counts, once the prompt's is there.
    pub(crate) fn usage(self) -> Option<Usage> {
        Some(Usage {
            prompt_tokens: self.prompt?,
            completion_tokens: self.completion.unwrap_or(0),
            cached_tokens: self.cached,
            reasoning_tokens: self.reasoning,
        })
    }
}

/// The members of all APIs side by side; none of them means two things.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    // OpenAI's chat and completions; SGLang's `meta_info`, which has the cached ones beside.
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    cached_tokens: Option<u64>,
    // Responses and Messages.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<Details>,
    output_tokens_details: Option<Details>,
    // Messages: not among the input tokens.
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    thinking_tokens: Option<u64>,
}

impl Wire {
    fn counts(self) -> Counts {
        let aside = [
            self.cache_read_input_tokens,
            self.cache_creation_input_tokens,
        ];
        let aside = aside.into_iter().flatten().fold(0, u64::saturating_add);
        let input = self.input_tokens.map(|input| input.saturating_add(aside));
        let inside = self.prompt_tokens_details.or(self.input_tokens_details);
        let written = self.output_tokens_details.unwrap_or_default();
        Counts {
            prompt: self.prompt_tokens.or(input),
            cached: inside
                .and_then(|details| details.cached_tokens)
                .or(self.cache_read_input_tokens)
                .or(self.cached_tokens),
            completion: self.completion_tokens.or(self.output_tokens),
            reasoning: written.reasoning_tokens.or(written.thinking_tokens),
        }
    }
}
