//! Rounds of one request between the same two engines: the first, and those that follow where the decode engine throws it
//! out.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::{self, Answered, Target};

use super::{
    super::drive,
    claim::{Claim, Stopping},
};
use crate::{
    ErrorKind, Retry, RouteError,
    dispatch::work::{Opening, Sender},
    results::Results,
};

/// What it takes to begin a round.
pub(in crate::dispatch::pair) struct Rounds {
    pub(in crate::dispatch::pair) results: Arc<Results>,
    pub(in crate::dispatch::pair) target: Target,
    pub(in crate::dispatch::pair) stopping: Arc<Stopping>,
    pub(in crate::dispatch::pair) sender: Sender,
    /// The largest answer of the prefill engine, in bytes.
    pub(in crate::dispatch::pair) reply_bytes: usize,
    pub(in crate::dispatch::pair) room: u64,
}

/// What engines call the request in its round `number`: no two live ones are called the same.
pub(super) fn id_of(room: u64, number: u32) -> String {
    match number {
        0 => format!("{room:016x}"),
        number => format!("{room:016x}{number:x}"),
    }
}

impl Rounds {
    /// Takes a place among those whom the decode engine answers.
    pub(in crate::dispatch::pair) fn join(&self, id: String) -> Opening<Claim> {
        let (results, stopping) = (Arc::clone(&self.results), Arc::clone(&self.stopping));
        Box::pin(async move { Ok(Claim::new(results.enlist(id).await?, stopping)) })
    }

    /// The round `number`, with the body that the decode engine gave, up to the prefill engine's answer.
    pub(super) fn again(&self, number: u32, body: Bytes) -> Opening<(Claim, Answered)> {
        let id = id_of(self.room, number);
        let joined = self.join(id.clone());
        let sent = (self.sender)(&mindie::recompute(&id, self.target, body));
        let most = self.reply_bytes;
        Box::pin(async move {
            let claim = joined.await?;
            let answer = match sent.await {
                Ok(reply) => drive::read(reply, most).await,
                Err(error) => Err(error),
            };
            claim.duty().prefilled(&answer);
            let answered = mindie::answered(&answer?, &id).ok_or_else(nonsense)?;
            if answered.is_last {
                claim.duty().settle();
            }
            Ok((claim, answered))
        })
    }
}

fn nonsense() -> RouteError {
    let message = "The prefill engine's answer makes no sense.";
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}
