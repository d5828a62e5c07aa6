//! The port at which a prefill engine says who it is.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use gateway_proto::engines::transfer::mooncake;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use tokio::time::timeout;

use crate::{
    ErrorKind, Retry, RouteError,
    wire::{Connection, Target},
};

/// The largest answer, in bytes: a line for each rank.
const ANSWER_BYTES: usize = 64 << 10;

/// What the port said last, for as long as the same process must be behind it.
#[derive(Debug, Default)]
pub(super) struct Bootstrap(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// Where it was said, and what.
    answer: Option<(String, u16, Bytes)>,
    /// How often it was forgotten: an answer on its way then may be the last process's.
    forgotten: u64,
}

impl Bootstrap {
    pub(super) async fn ask(
        &self,
        host: &str,
        port: u16,
        most: Duration,
    ) -> Result<Bytes, RouteError> {
        let forgotten = {
            let told = self.told();
            match &told.answer {
                Some((there, at, answer)) if there == host && *at == port => {
                    return Ok(answer.clone());
                }
                _ => told.forgotten,
            }
        };
        let answer = ask(host, port, most).await?;
        let mut told = self.told();
        if told.forgotten == forgotten {
            told.answer = Some((host.to_owned(), port, answer.clone()));
        }
        Ok(answer)
    }

    pub(super) fn forget(&self) {
        let mut told = self.told();
        told.answer = None;
        told.forgotten += 1;
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks on a connection of its own: the port is another server's.
async fn ask(host: &str, port: u16, most: Duration) -> Result<Bytes, RouteError> {
    let asked = timeout(most, ask_unbounded(host, port, most)).await;
    asked.unwrap_or_else(|_| Err(failed(ErrorKind::Timeout, "did not answer in time")))
}

async fn ask_unbounded(host: &str, port: u16, most: Duration) -> Result<Bytes, RouteError> {
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let target = Target::parse(&format!("http://{bracketed}:{port}"))
        .map_err(|_| failed(ErrorKind::Connect, "has no address that can be asked"))?;
    let mut connection = Connection::open(&target, most)
        .await
        .map_err(|_| failed(ErrorKind::Connect, "could not be reached"))?;
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = target.path(mooncake::QUERY);
    let headers = request.headers_mut();
    headers.insert(header::HOST, target.authority().clone());
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let reply = connection.send(request).await;
    let reply = reply.map_err(|_| failed(ErrorKind::Closed, "broke off"))?;
    if !reply.status().is_success() {
        return Err(failed(ErrorKind::EngineFailed, "refused to say who it is"));
    }
    let body = Limited::new(reply.into_body(), ANSWER_BYTES);
    let whole = body.collect().await;
    whole
        .map(|whole| whole.to_bytes())
        .map_err(|_| failed(ErrorKind::Broken, "broke off"))
}

fn failed(kind: ErrorKind, what: &str) -> RouteError {
    let message = format!("The prefill engine's bootstrap port {what}.");
    RouteError::engine(kind, Retry::OtherEndpoint, message)
}
