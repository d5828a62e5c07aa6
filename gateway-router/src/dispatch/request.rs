//! A request as the router takes it.

use std::sync::Arc;

use bytes::Bytes;
use gateway_core::{BlockHash, hash, residency::Keying};
use gateway_proto::openai::{Api, RequestView, ViewLimits};
use http::HeaderMap;

use crate::{
    ErrorKind, Hints, Leg, Retry, RouteError, TextBlocks,
    feed::{FeedSettings, token_keys},
};

/// A prompt's block hashes.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) blocks: Vec<BlockHash>,
    /// Tokens that one of them stands for.
    pub(crate) block_tokens: u32,
    /// What they were made from.
    pub(crate) keying: Keying,
}

/// A request with its body as it came and the facts read from it.
#[derive(Clone, Debug)]
pub struct RouteRequest {
    /// The facts.
    pub view: RequestView,
    /// The body that `view` was read from.
    pub body: Bytes,
    /// The request's id; becomes `x-request-id` at the engine.
    pub request_id: Arc<str>,
    /// Which of the calls that the request takes.
    pub leg: Leg,
    /// Headers to pass on to the engine. Hop-by-hop headers, `host` and `content-length` are left out anyway.
    pub headers: HeaderMap,
    /// What the caller's wrapper knows.
    pub hints: Hints,
}

impl RouteRequest {
    /// A request from its body alone, without id, headers or hints.
    ///
    /// # Errors
    /// Where the body is not what `api` takes.
    pub fn parse(api: Api, body: Bytes) -> Result<Self, RouteError> {
        let view = RequestView::parse(api, &body, &ViewLimits::default());
        let view = view
            .map_err(|error| RouteError::new(ErrorKind::BadRequest, Retry::Never, error.into()))?;
        Ok(Self {
            view,
            body,
            request_id: Arc::from(""),
            leg: Leg::default(),
            headers: HeaderMap::new(),
            hints: Hints::default(),
        })
    }

    /// The prompt as block hashes, computed once for all attempts: by token where it comes as token ids, else by byte.
    pub(crate) fn keys(&self, text: &TextBlocks, feeds: &FeedSettings, is_adapter: bool) -> Keys {
        let tokens = feeds.block_tokens;
        let by_token = token_keys(
            &self.view,
            &self.body,
            is_adapter,
            tokens,
            text.blocks_at_most,
        );
        match by_token {
            Some(blocks) => Keys {
                blocks,
                block_tokens: tokens,
                keying: Keying::Tokens,
            },
            None => Keys {
                blocks: self.byte_blocks(text),
                block_tokens: text.block_tokens(),
                keying: Keying::Bytes,
            },
        }
    }

    /// Everything that changes what an engine would cache under the same text goes into the seed: model, tools, salt,
    /// system prompt.
    fn byte_blocks(&self, text: &TextBlocks) -> Vec<BlockHash> {
        let tools = self
            .view
            .tools_span
            .map_or(&[][..], |span| span.of(&self.body));
        let salt = self
            .view
            .cache_salt
            .map_or(&[][..], |span| span.of(&self.body));
        let model = self.view.model.as_bytes();
        let seed = match self.view.system_span {
            Some(system) => hash::seed(&[model, tools, salt, system.of(&self.body)]),
            None => hash::seed(&[model, tools, salt]),
        };
        let block_bytes = text.block_bytes.max(1) as usize;
        let most = block_bytes.saturating_mul(text.blocks_at_most as usize);
        let prompt = self.view.prompt_span.of(&self.body);
        let prompt = &prompt[..prompt.len().min(most)];
        let mut blocks = Vec::with_capacity(prompt.len() / block_bytes);
        hash::hash_bytes(seed, prompt, block_bytes, &mut blocks);
        blocks
    }
}
