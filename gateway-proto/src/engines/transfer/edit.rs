//! Changes to one leg's request.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::ir::Fields;

/// What one leg's request says besides what the caller asked: members of the body's top level, and headers.
#[derive(Clone, Debug, Default)]
pub struct LegEdit {
    set: Vec<(&'static str, Box<RawValue>)>,
    removed: &'static [&'static str],
    headers: Vec<(&'static str, String)>,
    one_token: bool,
    instead: Option<Bytes>,
}

impl LegEdit {
    /// Sets a member, in place of what the caller said.
    ///
    /// # Panics
    /// For a value that is no JSON, as a map with keys other than strings.
    #[must_use]
    pub fn set<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Self {
        self.set_raw(name, to_raw_value(value).expect("our own types are JSON"))
    }

    /// Sets a member to what an engine said.
    #[must_use]
    pub fn set_raw(mut self, name: &'static str, value: Box<RawValue>) -> Self {
        self.set.push((name, value));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends another body in place of the request's.
    #[must_use]
    pub(super) fn instead(mut self, body: Bytes) -> Self {
        self.instead = Some(body);
        self
    }

    /// Leaves out `stream_options`, which engines refuse of requests that do not stream.
    #[must_use]
    pub fn unstreamed(mut self) -> Self {
        // Whatever else is removed, these are among it.
        if self.removed.is_empty() {
            self.removed = &["stream_options"];
        }
        self
    }

    /// Asks for an answer that comes whole: what a prefill leg hands over is at its end.
    #[must_use]
    pub(super) fn whole(self) -> Self {
        self.unstreamed().set("stream", &false)
    }

    /// Asks for the first token alone.
    #[must_use]
    pub(super) fn one_token(mut self) -> Self {
        self.one_token = true;
        self
    }

    /// Whether only the first token is wanted. Where that is said depends on the wire; [`apply`](Self::apply) leaves it
    /// to whoever writes the body, [`for_text`](Self::for_text) says it in OpenAI's words.
    #[must_use]
    pub fn is_one_token(&self) -> bool {
        self.one_token
    }

    /// The same edit for a body of OpenAI's chat (`is_chat`) or completions route.
    #[must_use]
    pub fn for_text(mut self, is_chat: bool) -> Self {
        if !self.one_token {
            return self;
        }
        self.removed = &["stream_options", "min_tokens"];
        let edit = self.set("max_tokens", &1);
        if is_chat {
            edit.set("max_completion_tokens", &1)
        } else {
            edit
        }
    }

    /// The headers to add, by name.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The body with the edit in it; every other member stays as it was, byte for byte.
    ///
    /// # Errors
    /// Where the body is no JSON object.
    pub fn apply(&self, body: &[u8]) -> serde_json::Result<Bytes> {
        if let Some(instead) = &self.instead {
            return Ok(instead.clone());
        }
        let mut fields: Fields = serde_json::from_slice(body)?;
        for name in self.removed {
            fields.take_raw(name);
        }
        for (name, value) in &self.set {
            // Of two members with one name readers take the last.
            fields.take_raw(name);
            fields.push_raw((*name).to_owned(), value.clone());
        }
        serde_json::to_vec(&fields).map(Bytes::from)
    }
}
