//! Requests: `POST /v1/responses` and the messages of its WebSocket form.
mod decode;
mod echo;
mod format;
mod sampling;
mod settings;

pub(super) use decode::decode_node;
pub use decode::decode_request;
pub(super) use echo::push_pairs;
pub use settings::Settings;
pub(super) use settings::metadata;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::items::{Item, transcript};
use super::tools::ToolNames;
use crate::dialect::DialectError;
use crate::ir::{Prompt, Request};

/// A request, as far as its own body tells.
///
/// A request that continues an earlier response or a conversation has no prompt before [`Self::resolve`] was given what
/// came before.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponsesRequest {
    /// What the model is asked. The prompt holds the messages of this request's own input, or none while it waits for
    /// what came before (see [`Self::needs_history`]).
    pub request: Request,
    /// What concerns this API alone.
    pub settings: Settings,
    /// The input's items, as they came.
    pub input: Vec<Item>,
    /// Which calls go back under other names or in another form.
    pub names: Arc<ToolNames>,
    /// The members that a response tells back, rendered: `"instructions":null,...`.
    pub(super) echo: Arc<str>,
}

impl ResponsesRequest {
    /// Whether the prompt depends on what a store holds: an earlier response, a conversation, or referenced items.
    #[must_use]
    pub fn needs_history(&self) -> bool {
        self.settings.previous_response_id.is_some()
            || self.settings.conversation.is_some()
            || self.references().next().is_some()
    }

    /// The ids of the items that the input only refers to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.input.iter().filter_map(Item::reference)
    }

    /// Gives ids to the input's items that came without; `seed` is unique to the request.
    pub fn name_items(&mut self, seed: &str) {
        for (number, item) in self.input.iter_mut().enumerate() {
            item.name(seed, number);
        }
    }

    /// Makes the prompt out of what came before and the input. An item of `stored` takes the place of a reference to it;
    /// a reference to an item of `history` says nothing new and goes.
    ///
    /// # Errors
    /// For an output without its call, and for a reference to an item that is in neither.
    pub fn resolve(&mut self, history: &[Item], stored: &[Item]) -> Result<(), DialectError> {
        self.look_up(history, stored);
        let items = history.iter().chain(&self.input);
        let messages = transcript(self.settings.instructions.as_deref(), items, &self.names)?;
        if messages.is_empty() {
            let message = "The input is empty: give 'input' a text or at least one message.";
            return Err(DialectError::at("input", message).with_code("missing_required_parameter"));
        }
        self.request.prompt = Prompt::Messages(messages);
        Ok(())
    }

    fn look_up(&mut self, history: &[Item], stored: &[Item]) {
        if self.references().next().is_none() {
            return;
        }
        let said: HashSet<&str> = history.iter().filter_map(Item::id).collect();
        let named = |item| Some((Item::id(item)?, item));
        let found: HashMap<&str, &Item> = stored.iter().filter_map(named).collect();
        self.input.retain_mut(|item| {
            let Some(id) = item.reference() else {
                return true;
            };
            let keep = found.contains_key(id) || !said.contains(id);
            if let Some(found) = found.get(id) {
                *item = Item::clone(found);
            }
            keep
        });
    }
}
