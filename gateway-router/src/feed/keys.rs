//! The keys of prompts that come as token ids: the ones that events are translated to.

use gateway_core::{BlockHash, hash, kvfeed::token_seed};
use gateway_proto::openai::{PromptShape, RequestView};

/// The prompt's own chained block hashes, at most `blocks_at_most`; `None` where it is not one list of token ids.
///
/// `is_adapter` says that the model asked for is a LoRA adapter, which engines cache apart.
pub(crate) fn token_keys(
    view: &RequestView,
    body: &[u8],
    is_adapter: bool,
    block_tokens: u32,
    blocks_at_most: u32,
) -> Option<Vec<BlockHash>> {
    let PromptShape::TokenIds { count } = view.shape else {
        return None;
    };
    let adapter = is_adapter.then_some(&*view.model);
    let salt = view
        .cache_salt
        .and_then(|span| RequestView::text(body, span));
    let most = most_tokens(block_tokens, blocks_at_most).min(count);
    let mut tokens = Vec::with_capacity(most);
    tokens.extend(numbers(view.prompt_span.of(body)).take(most));
    let blocks = id_keys(
        &tokens,
        adapter,
        salt.as_deref(),
        block_tokens,
        blocks_at_most,
    );
    Some(blocks)
}

/// The chained block hashes of token ids, at most `blocks_at_most`, under the adapter and salt that engines cache apart.
pub(crate) fn id_keys(
    ids: &[u32],
    adapter: Option<&str>,
    salt: Option<&str>,
    block_tokens: u32,
    blocks_at_most: u32,
) -> Vec<BlockHash> {
    let seed = token_seed(
        adapter.unwrap_or("").as_bytes(),
        salt.unwrap_or("").as_bytes(),
    );
    let ids = &ids[..ids.len().min(most_tokens(block_tokens, blocks_at_most))];
    let block_tokens = block_tokens.max(1) as usize;
    let mut keys = Vec::with_capacity(ids.len() / block_tokens);
    hash::hash_tokens(seed, ids, block_tokens, &mut keys);
    keys
}

fn most_tokens(block_tokens: u32, blocks_at_most: u32) -> usize {
    (block_tokens.max(1) as usize).saturating_mul(blocks_at_most as usize)
}

/// The numbers of a JSON array that is known to hold nothing else.
fn numbers(array: &[u8]) -> impl Iterator<Item = u32> {
    array
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| {
            digits.iter().fold(0_u32, |number, digit| {
                number
                    .wrapping_mul(10)
                    .wrapping_add(u32::from(digit - b'0'))
            })
        })
}

#[cfg(test)]
mod tests {
    use gateway_proto::openai::{Api, ViewLimits};

    use super::*;

    fn keys(body: &str, is_adapter: bool) -> Option<Vec<BlockHash>> {
        let view = RequestView::parse(Api::Completions, body.as_bytes(), &ViewLimits::default());
        token_keys(
            &view.expect("a request"),
            body.as_bytes(),
            is_adapter,
            2,
            100,
        )
    }

    fn hashed(adapter: &[u8], salt: &[u8], tokens: &[u32]) -> Option<Vec<BlockHash>> {
        let mut keys = Vec::new();
        hash::hash_tokens(token_seed(adapter, salt), tokens, 2, &mut keys);
        Some(keys)
    }

    #[test]
    fn token_ids_are_keyed_as_events_are() {
        let body = r#"{"model":"m","prompt":[ 4294967295,0 ,7,
            12, 9]}"#;
        let tokens = [u32::MAX, 0, 7, 12, 9];
        assert_eq!(keys(body, false), hashed(b"", b"", &tokens));
        assert_eq!(keys(body, true), hashed(b"m", b"", &tokens));
        let salted = r#"{"model":"m","prompt":[1,2],"cache_salt":"a\u0062"}"#;
        assert_eq!(keys(salted, false), hashed(b"", b"ab", &[1, 2]));
    }

    #[test]
    fn native_bodies_are_keyed_alike() {
        let bodies = [
            (Api::Generate, r#"{"input_ids":[7,8,9]}"#),
            (Api::GenerateTokens, r#"{"token_ids":[7,8,9],"model":"m"}"#),
        ];
        for (api, body) in bodies {
            let view = RequestView::parse(api, body.as_bytes(), &ViewLimits::default());
            let found = token_keys(&view.expect("a request"), body.as_bytes(), false, 2, 100);
            assert_eq!(found, hashed(b"", b"", &[7, 8, 9]), "{body}");
        }
    }

    #[test]
    fn other_prompts_have_no_token_keys() {
        assert_eq!(keys(r#"{"model":"m","prompt":"1 2 3 4"}"#, false), None);
        assert_eq!(keys(r#"{"model":"m","prompt":[[1,2],[3,4]]}"#, false), None);
    }

    #[test]
    fn no_more_blocks_are_made_than_asked_for() {
        let body = r#"{"model":"m","prompt":[1,2,3,4,5,6]}"#;
        let view = RequestView::parse(Api::Completions, body.as_bytes(), &ViewLimits::default());
        let keys = token_keys(&view.expect("a request"), body.as_bytes(), false, 2, 2);
        assert_eq!(keys.map(|keys| keys.len()), Some(2));
    }
}
