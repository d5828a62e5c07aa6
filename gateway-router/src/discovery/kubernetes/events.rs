//! The lines of a watch.

use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt as _;
use memchr::memchr;
use serde::Deserialize;
use tokio::time::timeout;

use super::{KubernetesError, objects::Object};
use crate::wire::EngineBody;

/// The longest line: etcd holds no larger objects than 1.5 MiB.
const LINE_BYTES: usize = 8 << 20;

/// What happened.
pub(super) enum Event {
    /// An object is new, or another than before.
    Changed(Object),
    /// An object is gone.
    Deleted(Object),
    /// Nothing, but the version has moved on.
    Bookmark(Object),
    /// The watch cannot go on.
    Failed(KubernetesError),
}

pub(super) struct Events {
    body: EngineBody,
    patience: Duration,
    read: BytesMut,
    /// How much of `read` holds no end of a line.
    searched: usize,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
}

impl Events {
    pub(super) fn new((body, patience): (EngineBody, Duration)) -> Self {
        Self {
            body,
            patience,
            read: BytesMut::new(),
            searched: 0,
        }
    }

    /// The next event; `None` where the server has ended the watch.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, KubernetesError> {
        loop {
            if let Some(event) = self.line()? {
                return Ok(Some(event));
            }
            let frame = timeout(self.patience, self.body.frame()).await;
            match frame.map_err(|_| KubernetesError::Timeout)? {
                None => return Ok(None),
                Some(Err(_)) => return Err(KubernetesError::Broken),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    /// An event of what was read; kinds that nobody knows are left out.
    fn line(&mut self) -> Result<Option<Event>, KubernetesError> {
        while let Some(at) = memchr(b'\n', &self.read[self.searched..]) {
            let line = self.read.split_to(self.searched + at + 1);
            self.searched = 0;
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Some(event) = event(&line)? {
                return Ok(Some(event));
            }
        }
        self.searched = self.read.len();
        if self.searched > LINE_BYTES {
            return Err(KubernetesError::TooLarge);
        }
        Ok(None)
    }
}

fn event(line: &[u8]) -> Result<Option<Event>, KubernetesError> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let object = || serde_json::from_str::<Object>(line.object.get());
    Ok(Some(match line.kind {
        "ADDED" | "MODIFIED" => Event::Changed(object()?),
        "DELETED" => Event::Deleted(object()?),
        "BOOKMARK" => Event::Bookmark(object()?),
        "ERROR" => {
            let status: Status = serde_json::from_str(line.object.get())?;
            Event::Failed(match status.code {
                410 => KubernetesError::Gone,
                code => KubernetesError::Status(code),
            })
        }
        _ => return Ok(None),
    }))
}
