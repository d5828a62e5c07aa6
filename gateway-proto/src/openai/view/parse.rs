//! The one pass over a body.

use super::input::{Input, input, query};
use super::keys::{Key, Seen};
use super::reserved;
use super::scanner::{Scanner, decode_string};
use super::values::{boolean, check_number, either, integer, nested, string, wrong};
use super::{Api, JsonKind, PromptShape, PromptSize, RequestError, RequestView, Span, ViewLimits};

/// Bytes of text that make up one token, about: English prose and JSON lie near four.
const BYTES_PER_TOKEN: u64 = 4;

/// What was gathered so far; `None` is absent.
#[derive(Default)]
struct Gathered {
    model: Option<Span>,
    prompt: Option<Input>,
    has_query: bool,
    system: Option<Span>,
    tools: Option<Span>,
    stream: bool,
    /// `include_usage`, where there are stream options.
    stream_options: Option<bool>,
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
        let name = decode_string(scanner.slice(span)).unwrap_or_default();
        match Key::from_name(&name).filter(|key| key.belongs(api)) {
            Some(key) => {
                seen.note(key)?;
                gathered.read(key, api, limits, &mut scanner)?;
            }
            // vLLM takes these for members of `extra_args`.
            None if name == "vllm_xargs" => reserved::extra_args(&mut scanner)?,
            None => match reserved::member(&name) {
                Some(key) => reserved::refuse(key, &mut scanner)?,
                None => drop(scanner.skip()?),
            },
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
            Key::Model => self.model = model(s, api)?,
            key if key.is_prompt() => self.read_prompt(key, api, s)?,
            key if key.is_query() => self.has_query |= query(s, path)?,
            Key::System => self.system = system(s)?,
            Key::Instructions => self.system = string(s, path)?,
            Key::Tools => self.tools = nested(s, path, JsonKind::Array, "an array")?,
            Key::Stream => self.stream = boolean(s, path)?.unwrap_or(false),
            Key::StreamOptions => self.stream_options = stream_options(s)?,
            Key::SamplingParams => self.sampling_params(limits, s)?,
            Key::Priority => self.priority = integer(s, path, i64::MIN..=i64::MAX)?,
            Key::User => self.user = string(s, path)?,
            Key::PromptCache => self.prompt_cache_key = string(s, path)?,
            Key::SessionId => self.session_id = string(s, path)?,
            Key::CacheSalt => self.cache_salt = string(s, path)?,
            _ => self.read_number(key, limits, s)?,
        }
        Ok(())
    }

    fn read_prompt(&mut self, key: Key, api: Api, s: &mut Scanner<'_>) -> Result<(), RequestError> {
        if let Some(found) = input(s, key, api)?
            && self.prompt.replace(found).is_some()
        {
            return Err(RequestError::Range {
                path: key.name().to_owned(),
                expected: "no second prompt beside it".to_owned(),
            });
        }
        Ok(())
    }

    /// Numbers, and what is checked only.
    fn read_number(
        &mut self,
        key: Key,
        limits: &ViewLimits,
        s: &mut Scanner<'_>,
    ) -> Result<(), RequestError> {
        const STRINGS: &str = "a string or an array of strings";
        const FLAGS: &str = "a boolean or an array of booleans";
        let (path, most) = (key.name(), i64::from(limits.n));
        match key {
            Key::N => self.n = integer(s, path, 1..=most)?,
            Key::BestOf => drop(integer(s, path, 1..=most)?),
            Key::MaxTokens => self.max_tokens = integer(s, path, 1..=i64::MAX)?,
            Key::MaxCompletionTokens | Key::MaxOutputTokens => {
                self.max_completion_tokens = integer(s, path, 1..=i64::MAX)?;
            }
            Key::Temperature => check_number(s, path, 0.0..=2.0)?,
            Key::TopP => check_number(s, path, 0.0..=1.0)?,
            Key::PresencePenalty | Key::FrequencyPenalty => check_number(s, path, -2.0..=2.0)?,
            Key::Dimensions => drop(integer(s, path, 1..=i64::from(u32::MAX))?),
            Key::TopN => drop(integer(s, path, 0..=i64::from(u32::MAX))?),
            Key::EncodingFormat => drop(string(s, path)?),
            Key::RequestIds => either(s, path, [JsonKind::String, JsonKind::Array], STRINGS)?,
            Key::ReturnLogprob => either(s, path, [JsonKind::Bool, JsonKind::Array], FLAGS)?,
            _ => drop(s.skip()?),
        }
        Ok(())
    }

    /// The sampling of a generate body; a batch may have one for each prompt, which nobody routes by.
    fn sampling_params(
        &mut self,
        limits: &ViewLimits,
        s: &mut Scanner<'_>,
    ) -> Result<(), RequestError> {
        match s.kind()? {
            JsonKind::Null => return s.literal("null"),
            JsonKind::Array => return s.skip().map(drop),
            JsonKind::Object => s.enter()?,
            found => return Err(wrong("sampling_params", "an object", found)),
        }
        let mut first = true;
        while let Some(span) = s.next_key(first)? {
            first = false;
            match decode_string(s.slice(span)).as_deref() {
                Some("max_new_tokens" | "max_tokens") => {
                    let path = "sampling_params.max_tokens";
                    self.max_tokens = integer(s, path, 0..=i64::MAX)?;
                }
                Some("n") => {
                    self.n = integer(s, "sampling_params.n", 1..=i64::from(limits.n))?;
                }
                Some("extra_args") => reserved::extra_args(s)?,
                _ => drop(s.skip()?),
            }
        }
        Ok(())
    }

    fn into_view(
        self,
        api: Api,
        body: &[u8],
        limits: &ViewLimits,
    ) -> Result<RequestView, RequestError> {
        let (model, model_span) = self.model(api, body, limits)?;
        let is_compared = matches!(api, Api::Rerank | Api::Score);
        if is_compared && !self.has_query {
            return Err(missing(if api == Api::Rerank {
                "query"
            } else {
                "text_1"
            }));
        }
        let prompt = match self.prompt {
            Some(prompt) => prompt,
            // What it continues is stored with whoever answers.
            None if api == Api::Responses => Input {
                span: Span::default(),
                shape: PromptShape::Messages { count: 0 },
                tokens: None,
            },
            None => return Err(missing(Key::prompt_of(api).name())),
        };
        let estimate = (prompt.span.len() as u64).div_ceil(BYTES_PER_TOKEN);
        Ok(RequestView {
            api,
            model,
            model_span,
            prompt_span: prompt.span,
            system_span: self.system,
            tools_span: self.tools,
            shape: prompt.shape,
            prompt_size: PromptSize {
                tokens: prompt.tokens.unwrap_or(estimate),
                exact: prompt.tokens.is_some(),
            },
            stream: self.stream,
            has_stream_options: self.stream_options.is_some(),
            include_usage: self.stream_options.unwrap_or(false),
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

    /// The model's name and the place of its value.
    fn model(
        &self,
        api: Api,
        body: &[u8],
        limits: &ViewLimits,
    ) -> Result<(Box<str>, Span), RequestError> {
        match self.model {
            Some(inside) => {
                let span = Span {
                    start: inside.start - 1,
                    end: inside.end + 1,
                };
                Ok((model_name(inside.of(body), limits)?, span))
            }
            None if api.requires_model() => Err(missing("model")),
            None => Ok((Box::from(""), Span::default())),
        }
    }
}

fn missing(path: &str) -> RequestError {
    RequestError::Missing {
        path: path.to_owned(),
    }
}

fn model(scanner: &mut Scanner<'_>, api: Api) -> Result<Option<Span>, RequestError> {
    match scanner.kind()? {
        JsonKind::String => scanner.string().map(Some),
        JsonKind::Null if !api.requires_model() => scanner.literal("null").map(|()| None),
        found => Err(wrong("model", "a string", found)),
    }
}

/// Anthropic's system prompt: a text, or blocks of it.
fn system(s: &mut Scanner<'_>) -> Result<Option<Span>, RequestError> {
    match s.kind()? {
        JsonKind::Null => s.literal("null").map(|()| None),
        JsonKind::String | JsonKind::Array => s.skip().map(Some),
        found => Err(wrong(
            "system",
            "a string or an array of text blocks",
            found,
        )),
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

fn stream_options(scanner: &mut Scanner<'_>) -> Result<Option<bool>, RequestError> {
    match scanner.kind()? {
        JsonKind::Null => return scanner.literal("null").map(|()| None),
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
    Ok(Some(include_usage.flatten().unwrap_or(false)))
}
