//! What a router must know of a whole reply, without a tree.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;

use crate::{
    ir::Usage,
    sse::{
        counts::Counts,
        markers::{self, Ending, Extent},
    },
};

/// The facts of one reply that is not streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyFacts {
    /// Some choice ended with `abort`, `error`, `cancelled` or `timeout`: the engine gave up under a polite 200.
    pub aborted: bool,
    /// The token counts, where the reply has them.
    pub usage: Option<Usage>,
}

/// Reads the facts of a reply of any API by substring search; see the relay's marks for why that is enough.
#[must_use]
pub fn reply_facts(body: &[u8]) -> ReplyFacts {
    let broken = |(_, ending)| ending == Ending::Broken;
    ReplyFacts {
        aborted: markers::endings(body, Extent::Body).any(broken) || is_failed_response(body),
        usage: markers::last_counts(body).and_then(Counts::usage),
    }
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow, default)]
    object: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
}

/// Whether this is a response object of a failed response. Its items have a status of their own, so that the mark alone
/// says too little.
fn is_failed_response(body: &[u8]) -> bool {
    memmem::find(body, b"\"failed\"").is_some()
        && serde_json::from_slice::<Status<'_>>(body)
            .is_ok_and(|told| told.object == "response" && told.status == "failed")
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
        for word in ["abort", "error", "cancelled", "timeout"] {
            let given_up = format!(r#"{{"choices":[{{"finish_reason": "{word}"}}]}}"#);
            assert!(reply_facts(given_up.as_bytes()).aborted, "{word}");
        }
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

    #[test]
    fn reads_messages_responses_and_native_replies() {
        let usage = |body: &str| {
            let usage = reply_facts(body.as_bytes()).usage.expect("counts");
            let cached = usage.cached_tokens;
            (
                usage.prompt_tokens,
                usage.completion_tokens,
                cached,
                usage.reasoning_tokens,
            )
        };
        let message = r#"{"type":"message","content":[{"type":"tool_use","input":{"usage":{"prompt_tokens":99}}}],
            "usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":5}}"#;
        assert_eq!(usage(message), (7, 5, Some(4), None));
        let response = r#"{"object":"response","status":"completed","output":[{"status":"failed"}],
            "usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":5,
            "output_tokens_details":{"reasoning_tokens":2}}}"#;
        assert_eq!(usage(response), (7, 5, Some(4), Some(2)));
        assert!(!reply_facts(response.as_bytes()).aborted);
        assert!(reply_facts(br#"{"object":"response","status":"failed","error":{}}"#).aborted);
        let native = r#"{"text":"a","meta_info":{"finish_reason":{"type":"stop"},"prompt_tokens":7,
            "completion_tokens":1,"cached_tokens":6}}"#;
        assert_eq!(usage(native), (7, 1, Some(6), None));
        let aborted = br#"{"meta_info":{"finish_reason":{"type":"abort","message":"x"}}}"#;
        assert!(reply_facts(aborted).aborted);
    }
}
