//! A source's stream of messages, whichever side listens.

use std::time::Duration;

use tokio::runtime::Handle;

use super::{
    FeedSource,
    listen::{Inbox, Listeners, Said},
    zmtp::{Kind, Peer, ZmtpError},
};

/// Where a source's messages come in.
pub(super) enum Link {
    /// A connection to the engine.
    Dialled(Box<Peer>),
    /// A place at an address that engines connect to.
    Inbox(Inbox),
}

impl Link {
    pub(super) async fn open(
        source: &FeedSource,
        listeners: &Listeners,
        patience: Duration,
    ) -> Result<Self, ZmtpError> {
        if source.bind {
            let inbox = listeners.open(&source.publish, &source.topic, &Handle::current());
            return Ok(Self::Inbox(inbox));
        }
        let at = &source.publish;
        let mut peer = Peer::connect(at.host(), at.port(), Kind::Sub, patience).await?;
        peer.subscribe(source.topic.as_bytes()).await?;
        Ok(Self::Dialled(Box::new(peer)))
    }

    /// What comes next. May be dropped while it waits.
    pub(super) async fn recv(&mut self) -> Result<Said, ZmtpError> {
        match self {
            Self::Dialled(peer) => peer.recv().await.map(Said::Message),
            Self::Inbox(inbox) => Ok(inbox.recv().await),
        }
    }
}
