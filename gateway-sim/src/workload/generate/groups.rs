//! Groups of users who share a long prefix.

use serde::{Deserialize, Serialize};

use super::{Cx, Generator, Lengths};
use crate::workload::{Draft, Prompt};

/// Customers of one service, each with a long instruction of its own, each with some users: prompt = prefix of the group,
/// profile of the user, question. All groups and users are equally busy.
///
/// With the defaults about 73 % of blocks came before (2,000 requests, blocks of 512).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Groups {
    /// Groups.
    pub groups: usize,
    /// Length of a group's prefix.
    pub prefix_tokens: Lengths,
    /// Users of each group.
    pub users: usize,
    /// Length of what is known of a user.
    pub user_tokens: Lengths,
    /// Length of a question.
    pub question_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            groups: 150,
            prefix_tokens: Lengths::new(6_000, 0.2),
            users: 5,
            user_tokens: Lengths::new(200, 0.3),
            question_tokens: Lengths::new(1_000, 0.4),
            output_tokens: Lengths::new(250, 0.6),
        }
    }
}

impl Generator for Groups {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let prefixes = cx.texts(self.groups, self.prefix_tokens);
        let users = self.users.max(1);
        let profiles = cx.texts(prefixes.len().saturating_mul(users), self.user_tokens);
        let times = cx.times();
        let mut request = |at| {
            let user = cx.rng.below(profiles.len());
            let mut prompt = Prompt::default();
            let (prefix, profile) = (prefixes[user / users], profiles[user]);
            prompt.push(prefix.0, prefix.1).push(profile.0, profile.1);
            let question = self.question_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, question);
            let output = self.output_tokens.draw(&mut cx.rng);
            cx.request(at, &prompt, output)
        };
        times.into_iter().map(&mut request).collect()
    }
}
