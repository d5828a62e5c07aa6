//! One connection to the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::replies::{self, CHUNKS};
use super::route::{Ask, Route};
use super::{MODEL, Port};
use crate::http::{HttpFault, Wire};

/// From one chunk of a stream to the next.
const CHUNK_EVERY: Duration = Duration::from_millis(10);

/// Serves requests until the other side closes or sends nonsense; both just end the connection.
pub(super) async fn serve(stream: TcpStream, port: Port) {
    if let Ok(wire) = Wire::new(stream) {
        let mut session = Session {
            wire,
            port,
            out: Vec::new(),
        };
        while let Ok(true) = session.exchange().await {}
    }
}

struct Session {
    wire: Wire,
    port: Port,
    out: Vec<u8>,
}

impl Session {
    /// Reads one request and answers it; `false` when there are no more.
    async fn exchange(&mut self) -> Result<bool, HttpFault> {
        let Some((route, framing)) = self.wire.head(Route::of).await? else {
            return Ok(false);
        };
        let ask = Ask::of(self.wire.body(framing).await?);
        match route {
            Route::Chat => {
                let _running = Running::begin(&self.port.running);
                if ask.stream {
                    self.stream(ask.serial).await?
                } else {
                    self.whole(ask.serial).await?
                }
            }
            other => {
                let reply = small_reply(other, &self.port);
                self.wire.send(reply.as_bytes()).await?;
            }
        }
        Ok(!self.wire.is_closing())
    }

    async fn whole(&mut self, serial: u64) -> Result<(), HttpFault> {
        self.out.clear();
        self.port.replies.whole.stamp(&mut self.out, serial, 0, 0);
        Ok(self.wire.send(&self.out).await?)
    }

    /// The head leaves before the first chunk, as from a real engine: a relay that lets Nagle's
    /// algorithm hold the chunk back shows it in the time to the first token.
    async fn stream(&mut self, serial: u64) -> Result<(), HttpFault> {
        self.out.clear();
        self.port
            .replies
            .stream_head
            .stamp(&mut self.out, serial, 0, 0);
        self.wire.send(&self.out).await?;
        let mut due = Instant::from_std(self.port.clock.now());
        for index in 0..CHUNKS {
            // The timer ticks in milliseconds and would make even the first chunk wait for a tick.
            if index > 0 {
                sleep_until(due).await;
            }
            due += CHUNK_EVERY;
            self.out.clear();
            self.port
                .replies
                .chunk
                .stamp(&mut self.out, serial, index, self.port.clock.nanos());
            self.wire.send(&self.out).await?;
        }
        self.out.clear();
        self.port
            .replies
            .stream_end
            .stamp(&mut self.out, serial, 0, 0);
        Ok(self.wire.send(&self.out).await?)
    }
}

/// Counts a chat request while it runs.
struct Running(Arc<AtomicU64>);

impl Running {
    fn begin(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn small_reply(route: Route, port: &Port) -> String {
    let json = "application/json";
    match route {
        Route::Health => replies::with_head("200 OK", json, ""),
        Route::Version => replies::with_head("200 OK", json, r#"{"version":"0.11.0"}"#),
        Route::Models => {
            let models = format!(
                r#"{{"object":"list","data":[{{"id":"{MODEL}","object":"model","created":1760000000,"owned_by":"vllm","root":"{MODEL}","parent":null,"max_model_len":32768}}]}}"#
            );
            replies::with_head("200 OK", json, &models)
        }
        Route::Metrics => {
            let running = port.running.load(Ordering::Relaxed);
            replies::with_head(
                "200 OK",
                "text/plain; version=0.0.4; charset=utf-8",
                &metrics(running),
            )
        }
        Route::Chat | Route::Unknown => {
            replies::with_head("404 Not Found", json, r#"{"detail":"Not Found"}"#)
        }
    }
}

fn metrics(running: u64) -> String {
    let values = [
        ("num_requests_running", running),
        ("num_requests_waiting", 0),
        ("kv_cache_usage_perc", 0),
    ];
    let gauge = |(name, value): (&str, u64)| {
        format!(
            "# TYPE vllm:{name} gauge\nvllm:{name}{{engine=\"0\",model_name=\"{MODEL}\"}} {value}.0\n"
        )
    };
    values.into_iter().map(gauge).collect()
}
