//! Which part of a pair a request is.

use std::sync::Arc;

use serde_json::Value;

use super::bootstrap::Meeting;
use super::mooncake::Appointment;
use super::nixl::Source;
use super::{Connector, bootstrap, mooncake, nixl, trtllm};
use crate::engine::api::{Fields, Job};
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// One leg of a pair.
#[derive(Debug)]
pub(in crate::engine) enum Leg {
    /// Computes a prompt and keeps its blocks under a name told in the answer.
    Offer,
    /// Computes a prompt and keeps its blocks under the router's name.
    OfferAs(String),
    /// Fetches what a prefill engine told the router.
    Fetch(Source),
    /// Fetches what a prefill engine will hold under the router's name.
    FetchAs(Appointment),
    /// The same in TensorRT-LLM's words, with the router's number of the pair.
    OfferContext(Value),
    /// Computes a prompt for the partner in a room.
    Send(u64),
    /// Answers with what the partner in a room computes.
    Receive(Meeting),
}

impl Leg {
    /// The part that a request says it is; none for one that is to be answered here alone.
    pub(in crate::engine) fn read(
        shell: &Shell,
        fields: Fields<'_>,
    ) -> Result<Option<Self>, ApiError> {
        let Some(own) = &shell.transfer else {
            return Ok(None);
        };
        match shell.config.flavour {
            Flavour::Sglang => return bootstrap::read(own.config.role, fields),
            Flavour::Trtllm => return Ok(Self::read_trtllm(fields)),
            _ => {}
        }
        let Some(params) = fields.get("kv_transfer_params") else {
            return Ok(None);
        };
        let is = |name: &str| params.get(name).and_then(Value::as_bool) == Some(true);
        Ok(match own.config.connector {
            Connector::Nixl if is("do_remote_decode") => Some(Self::Offer),
            Connector::Nixl if is("do_remote_prefill") => Source::read(params).map(Self::Fetch),
            Connector::Mooncake if is("do_remote_decode") => {
                mooncake::transfer_id(params).map(Self::OfferAs)
            }
            Connector::Mooncake if is("do_remote_prefill") => {
                Appointment::read(params).map(Self::FetchAs)
            }
            _ => None,
        })
    }

    fn read_trtllm(fields: Fields<'_>) -> Option<Self> {
        let params = fields.get("disaggregated_params")?;
        let id = params.get("disagg_request_id").cloned().unwrap_or_default();
        match params.get("request_type")?.as_str()? {
            "context_only" => Some(Self::OfferContext(id)),
            "generation_only" => trtllm::source(params).map(Self::Fetch),
            _ => None,
        }
    }

    /// Whether the engine computes one token and no more, whatever is asked.
    pub(in crate::engine) const fn is_one_token(&self) -> bool {
        matches!(self, Self::Send(_) | Self::OfferContext(_))
    }

    /// Tells the partner of a request that this engine refused.
    pub(in crate::engine) fn give_up(self, shell: &Arc<Shell>) {
        if let Self::Fetch(source) = self {
            source.release_later(shell);
        }
    }

    /// Does what comes before the answer and gives the sequences to the model.
    pub(in crate::engine) async fn arrive(
        self,
        shell: &Arc<Shell>,
        job: &mut Job,
    ) -> Result<Ticket, ApiError> {
        match self {
            Self::Offer => nixl::offer(shell, job).await,
            Self::OfferContext(id) => trtllm::offer(shell, job, id).await,
            Self::OfferAs(name) => mooncake::offer(shell, job, name),
            Self::Fetch(source) => nixl::fetch(shell, job, source).await,
            Self::FetchAs(appointment) => mooncake::fetch(shell, job, &appointment).await,
            Self::Send(room) => bootstrap::send(shell, job, room).await,
            Self::Receive(meeting) => bootstrap::meet(shell, job, &meeting).await,
        }
    }
}
