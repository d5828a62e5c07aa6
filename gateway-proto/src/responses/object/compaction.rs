//! What `POST /v1/responses/compact` answers with.

use super::usage::push_usage;
use crate::ir::Usage;
use crate::json::{push_str, push_u64};
use crate::responses::items::{Item, compaction_of};

/// A conversation in short: some items as they were, and one that stands for all others.
///
/// The request has the form of any other; [`decode_request`](crate::responses::decode_request) reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Compaction {
    /// Its id.
    pub id: String,
    /// Unix seconds.
    pub created_at: u64,
    /// The items that take the conversation's place in later requests, the compaction item last.
    pub output: Vec<Item>,
    /// What making it cost.
    pub usage: Usage,
}

impl Compaction {
    /// Keeps `shown` as they are and puts `folded` into one compaction item, which reads as those again. What is folded
    /// is the caller's choice: a summary, or what was said itself. `seed` is unique to the request.
    #[must_use]
    pub fn new(
        seed: &str,
        created_at: u64,
        shown: Vec<Item>,
        folded: &[Item],
        usage: Usage,
    ) -> Self {
        let mut output = shown;
        for (number, item) in output.iter_mut().enumerate() {
            item.name(seed, number);
        }
        output.push(compaction_of(&format!("cmp_{seed}"), folded));
        Self {
            id: format!("resp_{seed}"),
            created_at,
            output,
            usage,
        }
    }

    /// The object as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = b"{\"id\":".to_vec();
        push_str(&mut out, &self.id);
        out.extend_from_slice(b",\"object\":\"response.compaction\",\"created_at\":");
        push_u64(&mut out, self.created_at);
        out.extend_from_slice(b",\"output\":[");
        for (number, item) in self.output.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(item.json().as_bytes());
        }
        out.extend_from_slice(b"],\"usage\":");
        push_usage(&mut out, &self.usage);
        out.push(b'}');
        out
    }
}
