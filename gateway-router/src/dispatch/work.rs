//! What is dispatched: one interface over everything that an engine can be asked.

use std::{future::Future, sync::Arc, time::Duration};

use gateway_core::EndpointId;
use gateway_proto::openai::Api;

use super::{flight::Flight, request::Keys};
use crate::{Hints, Leg, RouteError, snapshot::Snapshot};

/// What the decision and the report need to know of a request.
pub(super) struct Subject<'a> {
    pub(super) api: Api,
    pub(super) model: &'a str,
    pub(super) request_id: &'a Arc<str>,
    pub(super) leg: Leg,
    pub(super) hints: &'a Hints,
    /// Whether the caller gets a stream.
    pub(super) stream: bool,
    /// Whether the engine gives one, and so shows when its first token is there.
    pub(super) engine_streams: bool,
    pub(super) prompt_tokens: u32,
    /// The most tokens that may come out; 0 where nobody said.
    pub(super) max_tokens: u32,
    /// The conversation, where the request itself tells it.
    pub(super) session: Option<u64>,
}

/// A request as the attempts see it.
pub(super) trait Work: Sync {
    /// An answer that has begun: nothing of it was shown yet, nothing can be retried any more.
    type Begun: Send;

    fn subject(&self) -> Subject<'_>;

    /// The prompt as block hashes, computed once for all attempts.
    fn keys(&self, snapshot: &Snapshot, is_adapter: bool) -> Keys;

    /// Sends the request to the endpoint `id` and waits until its answer has begun, which may take as long as it takes.
    /// `total` is the time that the whole request may take.
    fn begin(
        &self,
        snapshot: &Snapshot,
        id: EndpointId,
        flight: &mut Flight,
        total: Duration,
    ) -> impl Future<Output = Result<Self::Begun, RouteError>> + Send;
}

/// A number of tokens as the decision counts them.
pub(super) fn tokens(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
