//! What is kept of a response once it is over.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use gateway_govern::records::{Change, Head, Record, Status, StoreError, StoredItem};
use gateway_proto::responses::{Failure, ResponseObject, ResponsesRequest, Status as Told};
use tokio::time;

use super::{desk::caller, history::written, socket::Memory};
use crate::gate::Gate;

/// How long after a failure the store is asked once more.
const PAUSE: Duration = Duration::from_millis(200);

/// What came before a response.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Oldest first.
    pub(super) items: Vec<StoredItem>,
    /// Whether the store has it; else a connection remembers it.
    pub(super) is_kept: bool,
}

/// What is to be kept of a response once it is over, and where.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) gate: Arc<Gate>,
    pub(super) owner: Arc<str>,
    /// Whether the store keeps it.
    store: bool,
    previous: Option<String>,
    conversation: Option<String>,
    past: Past,
    input: Vec<StoredItem>,
    /// The connection that remembers it.
    memory: Option<Memory>,
}

impl Keep {
    /// What is to be kept of the answer to `decoded`, whose items have their names.
    pub(super) fn new(
        gate: &Arc<Gate>,
        owner: &Arc<str>,
        decoded: &ResponsesRequest,
        past: Past,
        memory: Option<Memory>,
    ) -> Self {
        let settings = &decoded.settings;
        Self {
            gate: Arc::clone(gate),
            owner: Arc::clone(owner),
            store: settings.store,
            previous: settings.previous_response_id.clone(),
            conversation: settings.conversation.clone(),
            past,
            input: written(&decoded.input),
            memory,
        }
    }

    /// Keeps `response`, which is over. What cannot be kept is counted; the caller has its answer all the same.
    pub(super) fn keep(self, response: &ResponseObject) -> BoxFuture<'static, ()> {
        let (head, output) = (self.head(response), said(response));
        let is_good = is_good(&response.status);
        async move {
            let kept = self.put(head, output, is_good).await;
            self.counted(&kept);
        }
        .boxed()
    }

    /// Puts a response that is only beginning into the store.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn begin(&self, response: &ResponseObject) -> Result<(), StoreError> {
        let record = self.record(self.head(response), Vec::new());
        let desk = &self.gate.responses;
        desk.store.put(caller(&self.owner), record).await
    }

    /// Tells the store how far a response has come that [`Self::begin`] put there.
    pub(super) async fn change(&self, response: &ResponseObject) {
        let output = if response.status.is_final() {
            said(response)
        } else {
            Vec::new()
        };
        let change = Change {
            status: Some(status(&response.status)),
            body: Some(body(response)),
            output: output.clone(),
        };
        let store = &self.gate.responses.store;
        let mut kept = store
            .update(caller(&self.owner), &response.id, change)
            .await;
        if kept.is_ok() && is_good(&response.status) {
            kept = self.converse(output).await;
        }
        match kept {
            // The caller was faster: the response is deleted, or called off.
            Err(StoreError::NotFound { .. } | StoreError::Ended { .. }) => {}
            Err(error) if response.status.is_final() => {
                self.give_up(response).await;
                self.counted(&Err(error));
            }
            kept if response.status.is_final() => self.counted(&kept),
            kept => drop(kept),
        }
    }

    /// Tells the store that a response came to nothing whose end it did not take: it must not look as if it were still being
    /// made. Where the store has the end and only the conversation lacks it, that stays.
    async fn give_up(&self, response: &ResponseObject) {
        time::sleep(PAUSE).await;
        let mut failed = response.clone();
        failed.output.clear();
        if failed.status != Told::Cancelled {
            failed.status = Told::Failed(Failure {
                code: "server_error".to_owned(),
                message: "The response could not be kept.".to_owned(),
            });
        }
        let change = Change {
            status: Some(status(&failed.status)),
            body: Some(body(&failed)),
            output: Vec::new(),
        };
        let store = &self.gate.responses.store;
        let told = store.update(caller(&self.owner), &response.id, change);
        match told.await {
            Ok(()) | Err(StoreError::NotFound { .. } | StoreError::Ended { .. }) => {}
            Err(error) => {
                tracing::error!(%error, id = response.id, "a response's end was not noted")
            }
        }
    }

    async fn put(
        &self,
        head: Head,
        output: Vec<StoredItem>,
        is_good: bool,
    ) -> Result<(), StoreError> {
        let id = head.id.clone();
        let stored = self.record_if_asked(head, &output).await;
        if let Some(memory) = self.memory.as_ref().filter(|_| is_good) {
            let past = &self.past.items;
            let items = past.iter().chain(&self.input).chain(&output);
            memory.remember(&id, self.store && stored.is_ok(), items);
        }
        stored?;
        if is_good {
            self.converse(output).await?;
        }
        Ok(())
    }

    async fn record_if_asked(&self, head: Head, output: &[StoredItem]) -> Result<(), StoreError> {
        if !self.store {
            return Ok(());
        }
        let record = self.record(head, output.to_vec());
        let store = &self.gate.responses.store;
        store.put(caller(&self.owner), record).await
    }

    /// Adds what was asked and said to the conversation.
    async fn converse(&self, output: Vec<StoredItem>) -> Result<(), StoreError> {
        let Some(conversation) = &self.conversation else {
            return Ok(());
        };
        let items = self.input.iter().cloned().chain(output).collect();
        let store = &self.gate.responses.store;
        store.append(caller(&self.owner), conversation, items).await
    }

    fn head(&self, response: &ResponseObject) -> Head {
        let created_at = i64::try_from(response.created_at).unwrap_or(i64::MAX);
        let status = status(&response.status);
        let mut head = Head::response(&response.id, created_at, status, &body(response));
        head.previous = self.previous.clone().filter(|_| self.past.is_kept);
        head.conversation.clone_from(&self.conversation);
        head
    }

    /// A past that the store does not have becomes part of the input, else the response could not be continued.
    fn record(&self, head: Head, output: Vec<StoredItem>) -> Record {
        let forgotten = !self.past.is_kept && self.previous.is_some();
        let past = self.past.items.iter().filter(|_| forgotten);
        Record {
            input: past.chain(&self.input).cloned().collect(),
            output,
            head,
        }
    }

    fn counted(&self, kept: &Result<(), StoreError>) {
        match kept {
            Ok(()) if !self.store => {}
            Ok(()) => self.gate.metrics.responses.kept(),
            Err(error) => {
                self.gate.metrics.responses.lost();
                tracing::warn!(%error, "a response was not kept");
            }
        }
    }
}

fn body(response: &ResponseObject) -> Arc<str> {
    let json = String::from_utf8(response.to_json()).expect("JSON is UTF-8");
    json.into()
}

fn said(response: &ResponseObject) -> Vec<StoredItem> {
    let item =
        |item: &gateway_proto::responses::OutputItem| StoredItem::new(&item.id, &item.to_json());
    response.output.iter().map(item).collect()
}

/// Whether a response can be continued.
fn is_good(status: &Told) -> bool {
    matches!(status, Told::Completed | Told::Incomplete(_))
}

fn status(told: &Told) -> Status {
    match told {
        Told::Queued => Status::Queued,
        Told::InProgress => Status::InProgress,
        Told::Completed => Status::Completed,
        Told::Incomplete(_) => Status::Incomplete,
        Told::Failed(_) => Status::Failed,
        Told::Cancelled => Status::Cancelled,
    }
}
