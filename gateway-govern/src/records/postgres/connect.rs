//! One connection, opened when it is needed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls, Row};

use super::{Param, tables};
use crate::records::StoreError;
use crate::records::error::Trouble;

/// All that wait for one attempt share it.
type Opening = Shared<BoxFuture<'static, Result<Arc<Client>, Refusal>>>;

/// Why there is no connection; many may be told the same.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    Database(Arc<tokio_postgres::Error>),
    Schema { found: i64, known: i64 },
    TimedOut,
}

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Database(error) => Self::Unavailable(Box::new(error)),
            Refusal::Schema { found, known } => Self::Schema { found, known },
            Refusal::TimedOut => Trouble::TimedOut.into(),
        }
    }
}

/// A connection that many calls use at once, opened again when it broke.
pub(super) struct Connector {
    config: Config,
    timeout: Duration,
    current: Mutex<Option<Opening>>,
}

impl Connector {
    pub(super) fn new(config: Config, timeout: Duration) -> Self {
        Self {
            config,
            timeout,
            current: Mutex::new(None),
        }
    }

    /// Runs one statement. One that outlasts the server's own limit says that nobody is there any more.
    pub(super) async fn query(
        &self,
        statement: &str,
        given: &[Param<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let opening = self.opening();
        let client = opening.clone().await?;
        let answer = client.query_typed(statement, given);
        match timeout(self.timeout * 2, answer).await {
            Ok(rows) => Ok(rows?),
            Err(_) => {
                self.give_up(&opening);
                Err(Trouble::TimedOut.into())
            }
        }
    }

    /// The attempt that is under way or that gave a connection which still holds; else a new one.
    fn opening(&self) -> Opening {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opening) = &*current {
            let holds = match opening.peek() {
                None => true,
                Some(Ok(client)) => !client.is_closed(),
                Some(Err(_)) => false,
            };
            if holds {
                return opening.clone();
            }
        }
        let opening = open(self.config.clone(), self.timeout).boxed().shared();
        current.insert(opening).clone()
    }

    fn give_up(&self, opening: &Opening) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|now| now.ptr_eq(opening)) {
            *current = None;
        }
    }
}

async fn open(config: Config, limit: Duration) -> Result<Arc<Client>, Refusal> {
    let opened = async {
        let (mut client, connection) = config.connect(NoTls).await?;
        // Ends when the client is dropped or the server goes; whoever asks next sees that it is closed.
        tokio::spawn(connection);
        let milliseconds = limit.as_millis();
        client
            .batch_execute(&format!("SET statement_timeout = {milliseconds}"))
            .await?;
        tables::create(&mut client).await?;
        Ok(Arc::new(client))
    };
    timeout(limit * 2, opened)
        .await
        .unwrap_or(Err(Refusal::TimedOut))
}

impl fmt::Debug for Connector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connector")
            .field("hosts", &self.config.get_hosts())
            .finish_non_exhaustive()
    }
}
