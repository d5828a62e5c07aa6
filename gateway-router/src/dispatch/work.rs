//! What is dispatched: one interface over everything that an engine can be asked.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use gateway_core::EndpointId;
use gateway_proto::{engines::transfer::LegEdit, openai::Api};

use super::{flight::Flight, request::Keys};
use crate::{Hints, Leg, RouteError, engine::EngineReply, snapshot::Snapshot};

/// What the decision and the report need to know of a request.
#[derive(Clone)]
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

/// Something on its way that lives by itself: whoever asked for it may be gone before it comes.
pub(super) type Opening<T> = Pin<Box<dyn Future<Output = Result<T, RouteError>> + Send>>;

/// Sends the prompt's half of a request again, when the request itself may be gone.
pub(super) type Sender = Box<dyn Fn(&LegEdit) -> Opening<EngineReply> + Send + Sync>;

/// A request as the attempts see it.
pub(super) trait Work: Sync {
    /// The beginning of an engine's answer.
    type Opened: Send + 'static;

    /// An answer that has begun: nothing of it was shown yet, nothing can be retried any more.
    type Begun: Send;

    fn subject(&self) -> Subject<'_>;

    /// The prompt as block hashes, computed once for all attempts.
    fn keys(&self, snapshot: &Snapshot, is_adapter: bool) -> Keys;

    /// Whether engines are asked on the route of chats.
    fn is_chat_to_engines(&self) -> bool;

    /// Whether it can be split between two engines.
    fn can_split(&self) -> bool;

    /// Sends the request to the endpoint `id` and waits until its answer has begun, which may take as long as it takes.
    fn open(
        &self,
        snapshot: &Snapshot,
        id: EndpointId,
        edit: Option<&LegEdit>,
    ) -> Opening<Self::Opened>;

    /// Sends the prompt's half of the request to the endpoint `id`; the reply has any status.
    fn prefill(&self, snapshot: &Snapshot, id: EndpointId, edit: &LegEdit) -> Opening<EngineReply>;

    /// What sends the prompt's half of the request to the endpoint `id` later.
    fn sender(&self, snapshot: &Snapshot, id: EndpointId) -> Sender;

    /// Reads a reply of the endpoint `id` that came in another way, up to what can be shown.
    fn read(
        &self,
        snapshot: &Snapshot,
        id: EndpointId,
        reply: EngineReply,
    ) -> Opening<Self::Opened>;

    /// Takes the whole answer of the prompt's half, got from the endpoint `id`, for the answer to the request.
    fn adopt(&self, snapshot: &Snapshot, id: EndpointId, answer: Bytes) -> Opening<Self::Opened>;

    /// The answer has begun. `total` is the time that the whole request may take.
    fn begin(
        &self,
        opened: Self::Opened,
        snapshot: &Snapshot,
        flight: &mut Flight,
        total: Duration,
    ) -> Self::Begun;
}

/// A number of tokens as the decision counts them.
pub(super) fn tokens(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
