//! The one pass over a body.

use super::keys::{Key, Seen};
use super::messages::messages;
use super::prompt::prompt;
use super::scanner::{Scanner, decode_string};
use super::values::{boolean, check_number, integer, nested, string, wrong};
use super::{Api, JsonKind, PromptShape, PromptSize, RequestError, RequestView, Span, ViewLimits};

/// Bytes of text that make up one token, about: English prose and JSON lie near four.
const BYTES_PER_TOKEN: u64 = 4;

/// What was gathered so far; `None` is absent.
#[derive(Default)]
struct Gathered {
    model: Option<Span>,
    prompt: Option<(Span, PromptShape, Option<u64>)>,
    tools: Option<Span>,
    stream: bool,
    include_usage: bool,
    n: Option<i64>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    priority: Option<i64>,
    user: Option<Span>,
    prompt_cache_key: Option<Span>,
    session_id: Option<Span>,
    cache_salt: Option<Span>,
}

pub(super) fn parse(
    api: Api,
    body: &[u8],
    limits: &ViewLimits,
) -> Result<RequestView, RequestError> {
    let mut scanner = Scanner::new(body, limits.depth)?;
    match scanner.kind()? {
        JsonKind::Object => scanner.enter()?,
        _ => return Err(scanner.expected("a JSON object")),
    }
    let (mut gathered, mut seen, mut first) = (Gathered::default(), Seen::default(), true);
    while let Some(span) = scanner.next_key(first)? {
        first = false;
        // An escaped key (`mod\u0065l`) is the same key to an engine, so it must be to us.
        let key = decode_string(scanner.slice(span)).and_then(|name| Key::from_name(&name));
        match key {
            Some(key) => {
                seen.note(key)?;
                gathered.read(key, api, limits, &mut scanner)?;
            }
            None => drop(scanner.skip()?),
        }
    }
    scanner.finish()?;
    gathered.into_view(api, body, limits)
}

impl Gathered {
    fn read(
        &mut self,
        key: Key,
        api: Api,
        limits: &ViewLimits,
        s: &mut Scanner<'_>,
    ) -> Result<(), RequestError> {
        let path = key.name();
        match key {
            Key::Model => self.model = model(s)?,
            Key::Messages if api == Api::ChatCompletions => self.prompt = Some(chat_prompt(s)?),
            Key::Prompt if api == Api::Completions => self.prompt = Some(text_prompt(s)?),
            Key::Messages | Key::Prompt => drop(s.skip()?),
            Key::Tools => self.tools = nested(s, path, JsonKind::Array, "an array")?,
            Key::Stream => self.stream = boolean(s, path)?.unwrap_or(false),
            Key::StreamOptions => self.include_usage = stream_options(s)?,
            Key::N => self.n = integer(s, path, 1..=i64::from(limits.n))?,
            Key::BestOf => drop(integer(s, path, 1..=i64::from(limits.n))?),
            Key::MaxTokens => self.max_tokens = integer(s, path, 1..=i64::MAX)?,
            Key::MaxCompletionTokens => {
                self.max_completion_tokens = integer(s, path, 1..=i64::MAX)?
            }
            Key::Temperature => check_number(s, path, 0.0..=2.0)?,
            Key::TopP => check_number(s, path, 0.0..=1.0)?,
            Key::PresencePenalty | Key::FrequencyPenalty => check_number(s, path, -2.0..=2.0)?,
            Key::Priority => self.priority = integer(s, path, i64::MIN..=i64::MAX)?,
            Key::User => self.user = string(s, path)?,
            Key::PromptCache => self.prompt_cache_key = string(s, path)?,
            Key::SessionId => self.session_id = string(s, path)?,
            Key::CacheSalt => self.cache_salt = string(s, path)?,
        }
        Ok(())
    }

    fn into_view(
        self,
        api: Api,
        body: &[u8],
        limits: &ViewLimits,
    ) -> Result<RequestView, RequestError> {
        let model = self.model.ok_or_else(|| RequestError::Missing {
            path: "model".to_owned(),
        })?;
        let name = model_name(model.of(body), limits)?;
        let field = if api == Api::ChatCompletions {
            "messages"
        } else {
            "prompt"
        };
        let (prompt_span, shape, exact) = self.prompt.ok_or_else(|| RequestError::Missing {
            path: field.to_owned(),
        })?;
        let estimate = (prompt_span.len() as u64).div_ceil(BYTES_PER_TOKEN);
        Ok(RequestView {
            api,
            model: name,
            model_span: Span {
                start: model.start - 1,
                end: model.end + 1,
            },
            prompt_span,
            tools_span: self.tools,
            shape,
            prompt_size: PromptSize {
                tokens: exact.unwrap_or(estimate),
                exact: exact.is_some(),
            },
            stream: self.stream,
            include_usage: self.include_usage,
            n: self.n.and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
            max_tokens: self
                .max_completion_tokens
                .or(self.max_tokens)
                .and_then(|n| u64::try_from(n).ok()),
            priority: self.priority,
            user: self.user,
            prompt_cache_key: self.prompt_cache_key,
            session_id: self.session_id,
            cache_salt: self.cache_salt,
        })
    }
}

fn model(scanner: &mut Scanner<'_>) -> Result<Option<Span>, RequestError> {
    match scanner.kind()? {
        JsonKind::String => scanner.string().map(Some),
        found => Err(wrong("model", "a string", found)),
    }
}

fn model_name(raw: &[u8], limits: &ViewLimits) -> Result<Box<str>, RequestError> {
    let path = || "model".to_owned();
    if raw.is_empty() {
        return Err(RequestError::Empty { path: path() });
    }
    let fits = raw.len() <= limits.model_bytes;
    let name = decode_string(raw).filter(|_| fits);
    name.map(|name| name.into())
        .ok_or_else(|| RequestError::Range {
            path: path(),
            expected: format!("a Unicode string of at most {} bytes", limits.model_bytes),
        })
}

fn chat_prompt(
    scanner: &mut Scanner<'_>,
) -> Result<(Span, PromptShape, Option<u64>), RequestError> {
    scanner.peek()?;
    let start = scanner.pos();
    let count = messages(scanner)?;
    Ok((
        Span {
            start,
            end: scanner.pos(),
        },
        PromptShape::Messages { count },
        None,
    ))
}

fn text_prompt(
    scanner: &mut Scanner<'_>,
) -> Result<(Span, PromptShape, Option<u64>), RequestError> {
    scanner.peek()?;
    let start = scanner.pos();
    let read = prompt(scanner)?;
    Ok((
        Span {
            start,
            end: scanner.pos(),
        },
        read.shape,
        read.tokens,
    ))
}

fn stream_options(scanner: &mut Scanner<'_>) -> Result<bool, RequestError> {
    match scanner.kind()? {
        JsonKind::Null => return scanner.literal("null").map(|()| false),
        JsonKind::Object => scanner.enter()?,
        found => return Err(wrong("stream_options", "an object", found)),
    }
    let (mut first, mut include_usage) = (true, None);
    while let Some(span) = scanner.next_key(first)? {
        first = false;
        if decode_string(scanner.slice(span)).as_deref() != Some("include_usage") {
            scanner.skip()?;
            continue;
        }
        let value = boolean(scanner, "stream_options.include_usage")?;
        if include_usage.replace(value).is_some() {
            return Err(RequestError::Duplicate {
                key: "stream_options.include_usage",
            });
        }
    }
    Ok(include_usage.flatten().unwrap_or(false))
}
