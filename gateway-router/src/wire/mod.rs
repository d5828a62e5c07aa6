//! HTTP/1.1 to engines, in the clear or under TLS: connections that are driven by whoever uses them, and a pool of idle ones.
//!
//! No task runs behind a connection. The future that waits for a reply, and later the body that streams it, drive the
//! socket themselves; dropping either closes the socket, which is how a cancel reaches the engine at once.

mod body;
mod connection;
mod distrust;
mod pool;
mod quiet;
mod socket;
mod target;
mod tls;

pub(crate) use body::EngineBody;
pub(crate) use connection::{Connection, SendError};
pub(crate) use pool::Pool;
pub use target::{Target, TargetError};
pub(crate) use tls::grievance;
pub use tls::{Tls, TlsError, TlsIdentity, TlsSettings};
