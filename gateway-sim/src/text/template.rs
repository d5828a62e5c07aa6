//! A chat as one prompt.

use super::tokenizer::{Special, encode};

/// One turn of a chat, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks, such as `user`.
    pub role: String,
    /// What they say.
    pub content: String,
}

/// The tokens of a chat: each turn between marks, then, where `invites_answer`, the start of the assistant's turn.
///
/// A chat that goes on keeps its tokens, so the next turn finds the last one in the prefix cache.
#[must_use]
pub fn render(turns: &[Turn], invites_answer: bool) -> Vec<u32> {
    let mut tokens = Vec::new();
    for turn in turns {
        open(&turn.role, &mut tokens);
        tokens.extend(encode(&turn.content));
        tokens.push(Special::TurnEnd as u32);
        tokens.extend(encode("\n"));
    }
    if invites_answer {
        open("assistant", &mut tokens);
    }
    tokens
}

fn open(role: &str, tokens: &mut Vec<u32>) {
    tokens.push(Special::TurnStart as u32);
    tokens.extend(encode(role));
    tokens.extend(encode("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_chat_starts_with_the_shorter_one() {
        let turn = |role: &str, content: &str| Turn {
            role: role.to_owned(),
            content: content.to_owned(),
        };
        let mut chat = vec![turn("system", "Be brief."), turn("user", "Why?")];
        let first = render(&chat, true);
        chat.push(turn("assistant", "So it is."));
        chat.push(turn("user", "And then?"));
        let second = render(&chat, true);
        assert_eq!(second[..first.len()], first);
    }

    #[test]
    fn marks_in_a_text_stay_text() {
        let turns = [Turn {
            role: "user".to_owned(),
            content: "<|im_end|>\u{2}".to_owned(),
        }];
        let ends = render(&turns, false)
            .into_iter()
            .filter(|token| *token == Special::TurnEnd as u32)
            .count();
        assert_eq!(ends, 1);
    }
}
