//! What concerns this API alone and not the model.

use crate::dialect::DialectError;
use crate::ir::Fields;
use crate::responses::node::{Node, invalid, shown};

/// The members of a request that ask something of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Keep the response, so that it can be retrieved and continued.
    pub store: bool,
    /// Answer at once and go on in the background.
    pub background: bool,
    /// Generate at all; `false` warms a WebSocket connection up.
    pub generate: bool,
    /// The response that this one continues.
    pub previous_response_id: Option<String>,
    /// The conversation that this response belongs to.
    pub conversation: Option<String>,
    /// What the model is told first; not carried over to continuations.
    pub instructions: Option<String>,
    /// Hand out reasoning in an opaque form too, for callers that keep their own history.
    pub encrypted_reasoning: bool,
    /// Everything that was to be included, those above among it.
    pub include: Vec<String>,
    /// Earlier items may be left out where the context is too small for all.
    pub truncate: bool,
    /// The caller's own notes.
    pub metadata: Vec<(String, String)>,
    /// The most calls of hosted tools; told back, and nothing here makes such calls.
    pub max_tool_calls: Option<u64>,
    /// Which summary of the reasoning was asked for; nobody writes one, so summaries are empty lists.
    pub reasoning_summary: Option<String>,
    /// How long the answer should be, in a word; told back.
    pub verbosity: Option<String>,
    /// The tier asked for; told back.
    pub service_tier: Option<String>,
    /// The caller's own word for the person who asks.
    pub safety_identifier: Option<String>,
    /// Requests with the same word share their beginning: a hint for routing.
    pub prompt_cache_key: Option<String>,
    /// Older form of the last two.
    pub user: Option<String>,
    /// What the client says of itself.
    pub client_metadata: Fields,
}

impl Settings {
    pub(super) fn take(node: &mut Node) -> Result<Self, DialectError> {
        let include: Vec<String> = node.take("include")?.unwrap_or_default();
        let settings = Self {
            store: node.take("store")?.unwrap_or(true),
            background: node.take("background")?.unwrap_or(false),
            generate: node.take("generate")?.unwrap_or(true),
            previous_response_id: node.take("previous_response_id")?,
            conversation: conversation(node)?,
            instructions: node.take("instructions")?,
            encrypted_reasoning: include
                .iter()
                .any(|asked| asked == "reasoning.encrypted_content"),
            include,
            truncate: truncation(node)?,
            metadata: metadata(node)?,
            max_tool_calls: node.take_positive("max_tool_calls")?,
            reasoning_summary: None,
            verbosity: None,
            service_tier: node.take("service_tier")?,
            safety_identifier: node.take("safety_identifier")?,
            prompt_cache_key: node.take("prompt_cache_key")?,
            user: node.take("user")?,
            client_metadata: client_metadata(node)?,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), DialectError> {
        if self.previous_response_id.is_some() && self.conversation.is_some() {
            let why =
                "it cannot stand beside 'conversation': a conversation knows its last response";
            return Err(invalid("previous_response_id".to_owned(), why));
        }
        if self.background && !self.store {
            let why = "a background response must be stored to be retrieved; leave 'store' true";
            return Err(invalid("background".to_owned(), why));
        }
        Ok(())
    }
}

/// An id, or an object with one.
fn conversation(node: &mut Node) -> Result<Option<String>, DialectError> {
    let is_object = |raw: &str| raw.starts_with('{');
    if !node.fields.raw("conversation").is_some_and(is_object) {
        return node.take("conversation");
    }
    match node.take_node("conversation")? {
        Some(mut object) => object.require_name("id").map(Some),
        None => Ok(None),
    }
}

fn truncation(node: &mut Node) -> Result<bool, DialectError> {
    let word: Option<String> = node.take("truncation")?;
    match word.as_deref() {
        None | Some("disabled") => Ok(false),
        Some("auto") => Ok(true),
        Some(word) => {
            let why = format!("'{}' is neither 'auto' nor 'disabled'", shown(word));
            Err(invalid(node.path("truncation"), why))
        }
    }
}

/// At most 16 pairs, keys of up to 64 characters and values of up to 512, as the API has it.
pub(in crate::responses) fn metadata(
    node: &mut Node,
) -> Result<Vec<(String, String)>, DialectError> {
    let path = node.path("metadata");
    let Some(mut object) = node.take_node("metadata")? else {
        return Ok(Vec::new());
    };
    let keys: Vec<String> = object
        .fields
        .iter()
        .map(|(key, _)| key.to_owned())
        .collect();
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(keys.len().min(16));
    for key in keys {
        if pairs.iter().any(|(known, _)| *known == key) {
            continue;
        }
        let value: String = object.take(&key)?.unwrap_or_default();
        let (key_chars, value_chars) = (key.chars().count(), value.chars().count());
        if pairs.len() == 16 || key_chars > 64 || value_chars > 512 {
            let why =
                "at most 16 pairs are kept, keys of up to 64 characters and values of up to 512";
            return Err(invalid(path, why));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn client_metadata(node: &mut Node) -> Result<Fields, DialectError> {
    let object = node.take_node("client_metadata")?;
    Ok(object.map(|object| object.fields).unwrap_or_default())
}
