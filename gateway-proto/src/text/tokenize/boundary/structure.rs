//! Which added tokens can be safe, by how the tokenizer is built.

use serde_json::Value;
use tokenizers::AddedToken;

/// Added tokens by when they are taken out of a text, each sorted by id.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Before normalisation, from the text as it is.
    pub(super) raw: Vec<Member>,
    /// After normalisation, from what the others leave. Empty where normalisation changes a text, or where it is not
    /// certain what the others leave: then nothing is cut behind one of these.
    pub(super) normalized: Vec<Member>,
}

/// An added token.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: u32,
    pub(super) text: String,
    pub(super) special: bool,
    /// A cut behind it does not change how anything is matched.
    pub(super) is_candidate: bool,
}

/// Sorts the added tokens of `tokenizer`, whose normaliser the file writes as `normalizer`.
pub(super) fn classes(tokenizer: &tokenizers::Tokenizer, normalizer: &Value) -> Classes {
    let added = tokenizer.get_added_tokens_decoder();
    let (mut raw, mut normalized) = (Vec::new(), Vec::new());
    for (id, token) in &added {
        let class = if token.normalized {
            &mut normalized
        } else {
            &mut raw
        };
        class.push((*id, token));
    }
    let plain = |token: &AddedToken| !(token.lstrip || token.rstrip || token.single_word);
    if !is_identity(normalizer) || !raw.iter().all(|(_, token)| plain(token)) {
        normalized.clear();
    }
    Classes {
        raw: members(raw),
        normalized: members(normalized),
    }
}

fn members(mut class: Vec<(u32, &AddedToken)>) -> Vec<Member> {
    class.sort_unstable_by_key(|(id, _)| *id);
    let any_word = class.iter().any(|(_, token)| token.single_word);
    let any_rstrip = class.iter().any(|(_, token)| token.rstrip);
    let member = |(id, token): &(u32, &AddedToken)| Member {
        id: *id,
        text: token.content.clone(),
        special: token.special,
        is_candidate: is_candidate(token, any_word, any_rstrip),
    };
    class.iter().map(member).collect()
}

/// `any_word`, `any_rstrip`: some token taken out at the same time looks whether a word ends before it, or takes the
/// white space behind it along. (One that takes the white space before it along stops at the token before that.)
fn is_candidate(token: &AddedToken, any_word: bool, any_rstrip: bool) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || !c.is_ascii();
    let ends_word = token.content.ends_with(|c| is_word(c) || c == '_');
    let starts_white = token.content.starts_with(char::is_whitespace);
    let looks_around = token.single_word || token.rstrip;
    let is_looked_at = (any_word && ends_word) || (any_rstrip && starts_white);
    !(looks_around || is_looked_at)
}

/// Whether a normaliser is there in name only.
fn is_identity(normalizer: &Value) -> bool {
    let steps = normalizer["normalizers"].as_array();
    normalizer.is_null() || steps.is_some_and(|steps| steps.iter().all(is_identity))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_that_look_at_their_neighbours_are_no_candidates() {
        let token = AddedToken::from("<a>", true);
        assert!(is_candidate(&token, true, true));
        assert!(is_candidate(&token.clone().lstrip(true), true, true));
        assert!(!is_candidate(&token.clone().rstrip(true), false, false));
        assert!(!is_candidate(&token.single_word(true), false, false));
        let word = AddedToken::from("INST", true);
        assert!(is_candidate(&word, false, true));
        assert!(!is_candidate(&word, true, false));
        assert!(!is_candidate(&AddedToken::from("\n", true), false, true));
    }

    #[test]
    fn an_empty_sequence_normalises_nothing() {
        assert!(is_identity(&json!(null)));
        assert!(is_identity(&json!({"type": "Sequence", "normalizers": []})));
        assert!(!is_identity(&json!({"type": "NFC"})));
        assert!(!is_identity(
            &json!({"type": "Sequence", "normalizers": [{"type": "NFC"}]})
        ));
    }
}
