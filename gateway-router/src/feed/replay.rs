//! Asking an engine for batches that it still has.

use std::time::Duration;

use bytes::Bytes;
use gateway_proto::kv_events::Replay;
use tokio::time::timeout;

use super::{
    FeedAddress,
    zmtp::{Kind, Peer, ZmtpError},
};

/// One answer under way: a connection of its own, which ends with it.
pub(super) struct Asked {
    peer: Peer,
    patience: Duration,
}

impl Asked {
    /// Asks for all batches from number `first` on.
    pub(super) async fn from(
        address: &FeedAddress,
        first: u64,
        patience: Duration,
    ) -> Result<Self, ZmtpError> {
        let mut peer =
            Peer::connect(address.host(), address.port(), Kind::Dealer, patience).await?;
        let [delimiter, number] = Replay::request(first);
        peer.send(&[&delimiter, &number]).await?;
        Ok(Self { peer, patience })
    }

    /// The next message of the answer; one of them says that it is the last.
    pub(super) async fn next(&mut self) -> Result<Vec<Bytes>, ZmtpError> {
        timeout(self.patience, self.peer.recv())
            .await
            .unwrap_or(Err(ZmtpError::Timeout))
    }
}
