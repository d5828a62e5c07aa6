//! How to reach the database.

use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::connect::Connector;
use crate::records::StoreError;

const CONNECTIONS: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(5);

/// How to reach the database.
#[derive(Clone)]
pub struct PostgresOptions {
    config: Config,
    connections: usize,
    timeout: Duration,
}

impl PostgresOptions {
    /// Reads an address such as `postgres://user:secret@host:5432/database`, or PostgreSQL's `host=... user=...`.
    ///
    /// # Errors
    /// [`StoreError::Address`] for what is none, and where it demands TLS, which this store does not speak.
    ///
    /// ```
    /// use gateway_govern::records::PostgresOptions;
    /// assert!(PostgresOptions::parse("postgres://gateway@localhost/records").is_ok());
    /// assert!(PostgresOptions::parse("postgres://localhost/records?sslmode=require").is_err());
    /// ```
    pub fn parse(address: &str) -> Result<Self, StoreError> {
        let wrong = |error| StoreError::Address(Some(Box::new(error)));
        let mut config: Config = address.parse().map_err(wrong)?;
        if config.get_ssl_mode() == SslMode::Require || config.get_hosts().is_empty() {
            return Err(StoreError::Address(None));
        }
        if config.get_application_name().is_none() {
            config.application_name("inference-gateway");
        }
        Ok(Self {
            config,
            connections: CONNECTIONS,
            timeout: TIMEOUT,
        })
    }

    /// At most so many connections, at least one; 4 unless told.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Longest time for a statement, and for connecting; 5 s unless told.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(super) fn connectors(&self) -> Vec<Connector> {
        let connector = || Connector::new(self.config.clone(), self.timeout);
        (0..self.connections).map(|_| connector()).collect()
    }
}

/// Without the password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PostgresOptions")
            .field("hosts", &self.config.get_hosts())
            .field("database", &self.config.get_dbname())
            .field("connections", &self.connections)
            .field("timeout", &self.timeout)
            .finish()
    }
}
