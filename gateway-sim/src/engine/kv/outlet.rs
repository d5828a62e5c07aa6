//! Where a rank's KV events go.

use super::kept::KeptEvents;
use super::{Fate, KvFeed, KvPublisher};
use crate::engine::config::SimConfig;
use crate::engine::flavour::Flavour;
use crate::engine::handle::StartError;
use crate::model::KvEvent;

/// The way out, by surface.
#[derive(Debug)]
pub(in crate::engine) enum Outlet {
    /// Published as they happen.
    Published(KvFeed),
    /// Kept until asked for.
    Kept(KeptEvents),
}

impl Outlet {
    /// The way out of a rank's events and what publishes them; none where there are to be none.
    pub(in crate::engine) async fn open(
        config: &SimConfig,
        rank: u32,
    ) -> Result<(Option<Self>, Option<KvPublisher>), StartError> {
        let Some(events) = &config.kv_events else {
            return Ok((None, None));
        };
        match config.flavour {
            Flavour::Vllm | Flavour::Sglang => {}
            Flavour::Trtllm => {
                let told = (config.dp_ranks > 1).then_some(rank);
                let kept = KeptEvents::new(events.buffer_steps, &config.engine, told);
                return Ok((Some(Self::Kept(kept)), None));
            }
            Flavour::Mindie | Flavour::Llamacpp | Flavour::Tgi => {
                return Err(StartError::NoKvEvents(config.flavour));
            }
        }
        let block_tokens = config.engine.block_tokens;
        let (feed, publisher) = KvPublisher::bind(events.of_rank(rank), block_tokens, rank).await?;
        Ok((Some(Self::Published(feed)), Some(publisher)))
    }

    /// Hands events over. False where some of them are dropped.
    pub(in crate::engine) fn give(&self, events: Vec<KvEvent>, fate: Fate) -> bool {
        match self {
            Self::Published(feed) => feed.publish(events, fate),
            Self::Kept(kept) => kept.keep(&events, fate),
        }
    }

    /// Begins anew at number 0.
    pub(in crate::engine) fn restart(&self) {
        match self {
            Self::Published(feed) => feed.restart(),
            Self::Kept(kept) => kept.restart(),
        }
    }

    /// The publisher's end, where events are published.
    pub(in crate::engine) const fn published(&self) -> Option<&KvFeed> {
        match self {
            Self::Published(feed) => Some(feed),
            Self::Kept(_) => None,
        }
    }

    /// The events kept, where they are.
    pub(in crate::engine) const fn kept(&self) -> Option<&KeptEvents> {
        match self {
            Self::Published(_) => None,
            Self::Kept(kept) => Some(kept),
        }
    }
}
