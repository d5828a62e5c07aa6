//! What a router must know of a whole reply, without a tree.

use crate::{
    ir::Usage,
    sse::markers::{self, Ending, Extent},
};

/// The facts of one reply that is not streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyFacts {
    /// Some choice ended with `abort` or `error`: the engine gave up under a polite 200.
    pub aborted: bool,
    /// The token counts, where the reply has them.
    pub usage: Option<Usage>,
}

/// Reads the facts of a chat or completions reply by substring search; see the relay's marks for why that is enough.
#[must_use]
pub fn reply_facts(body: &[u8]) -> ReplyFacts {
    ReplyFacts {
        aborted: markers::endings(body, Extent::Body).any(|(_, ending)| ending == Ending::Broken),
        usage: markers::usage(body, Extent::Body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_usage_and_endings_and_is_not_fooled_by_content() {
        let good = br#"{"choices":[{"message":{"content":"say \"finish_reason\":\"abort\""},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}"#;
        let usage = Usage {
            prompt_tokens: 7,
            completion_tokens: 3,
            cached_tokens: Some(4),
            reasoning_tokens: None,
        };
        assert_eq!(
            reply_facts(good),
            ReplyFacts {
                aborted: false,
                usage: Some(usage)
            }
        );
        assert!(reply_facts(br#"{"choices":[{"finish_reason": "abort"}]}"#).aborted);
        let indented =
            b"{\n \"usage\":\n {\n  \"prompt_tokens\" : 7,\n  \"completion_tokens\" : 3\n }\n}";
        assert_eq!(
            reply_facts(indented)
                .usage
                .map(|usage| usage.total_tokens()),
            Some(10)
        );
        assert_eq!(reply_facts(b"not json"), ReplyFacts::default());
    }
}
