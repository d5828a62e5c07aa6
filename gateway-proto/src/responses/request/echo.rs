//! What a response tells back of its request.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Settings;
use crate::ir::{Fields, Request, Sampling};
use crate::json::{push_opt_str, push_str, push_value};
use crate::responses::compact::push_compact;

/// The members of a response object that do not change while it is made, rendered without braces and in one line.
pub(super) fn echo(
    request: &Request,
    settings: &Settings,
    tools: &[Fields],
    choice: Option<&RawValue>,
    format: Option<&RawValue>,
) -> String {
    let mut echo = Echo {
        out: Vec::with_capacity(1024),
    };
    echo.service(settings);
    echo.model(request, settings);
    echo.tools(request, tools, choice);
    echo.text(settings, format);
    echo.metadata(&settings.metadata);
    String::from_utf8(echo.out).expect("JSON is UTF-8")
}

struct Echo {
    out: Vec<u8>,
}

impl Echo {
    fn service(&mut self, settings: &Settings) {
        self.value("background", &settings.background);
        self.value("store", &settings.store);
        self.text_member(
            "previous_response_id",
            settings.previous_response_id.as_deref(),
        );
        self.key("conversation");
        match &settings.conversation {
            Some(id) => {
                self.out.extend_from_slice(b"{\"id\":");
                push_str(&mut self.out, id);
                self.out.push(b'}');
            }
            None => self.out.extend_from_slice(b"null"),
        }
        self.text_member("instructions", settings.instructions.as_deref());
        let tier = settings.service_tier.as_deref();
        let tier = tier.filter(|tier| *tier != "auto").unwrap_or("default");
        self.text_member("service_tier", Some(tier));
        self.text_member("safety_identifier", settings.safety_identifier.as_deref());
        self.text_member("prompt_cache_key", settings.prompt_cache_key.as_deref());
        self.text_member("user", settings.user.as_deref());
        let truncation = if settings.truncate {
            "auto"
        } else {
            "disabled"
        };
        self.text_member("truncation", Some(truncation));
        self.value("max_tool_calls", &settings.max_tool_calls);
    }

    /// Numbers that were not given are told as the API's defaults, since they must not be `null`.
    fn model(&mut self, request: &Request, settings: &Settings) {
        let Sampling {
            max_tokens,
            temperature,
            top_p,
            presence_penalty,
            frequency_penalty,
            ..
        } = &request.sampling;
        self.value("max_output_tokens", max_tokens);
        self.value("temperature", &temperature.unwrap_or(1.0));
        self.value("top_p", &top_p.unwrap_or(1.0));
        self.value("presence_penalty", &presence_penalty.unwrap_or(0.0));
        self.value("frequency_penalty", &frequency_penalty.unwrap_or(0.0));
        let top = request.logprobs.map_or(0, |asked| asked.top);
        self.value("top_logprobs", &top);
        self.key("reasoning");
        self.out.extend_from_slice(b"{\"effort\":");
        push_opt_str(&mut self.out, request.reasoning.effort.as_deref());
        self.out.extend_from_slice(b",\"summary\":");
        push_opt_str(&mut self.out, settings.reasoning_summary.as_deref());
        self.out.push(b'}');
    }

    fn tools(&mut self, request: &Request, tools: &[Fields], choice: Option<&RawValue>) {
        self.value(
            "parallel_tool_calls",
            &request.parallel_tool_calls.unwrap_or(true),
        );
        self.key("tool_choice");
        push_compact(&mut self.out, choice.map_or("\"auto\"", RawValue::get));
        self.key("tools");
        let list = serde_json::to_string(tools).expect("raw JSON serialises");
        push_compact(&mut self.out, &list);
    }

    fn text(&mut self, settings: &Settings, format: Option<&RawValue>) {
        self.key("text");
        self.out.extend_from_slice(b"{\"format\":");
        push_compact(
            &mut self.out,
            format.map_or("{\"type\":\"text\"}", RawValue::get),
        );
        if let Some(verbosity) = &settings.verbosity {
            self.out.extend_from_slice(b",\"verbosity\":");
            push_str(&mut self.out, verbosity);
        }
        self.out.push(b'}');
    }

    fn metadata(&mut self, pairs: &[(String, String)]) {
        self.key("metadata");
        push_pairs(&mut self.out, pairs);
    }

    fn key(&mut self, key: &str) {
        if !self.out.is_empty() {
            self.out.push(b',');
        }
        push_str(&mut self.out, key);
        self.out.push(b':');
    }

    fn value<T: Serialize>(&mut self, key: &str, value: &T) {
        self.key(key);
        push_value(&mut self.out, value);
    }

    fn text_member(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        push_opt_str(&mut self.out, text);
    }
}

/// An object of texts.
pub(in crate::responses) fn push_pairs(out: &mut Vec<u8>, pairs: &[(String, String)]) {
    out.push(b'{');
    for (number, (key, value)) in pairs.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push_str(out, key);
        out.push(b':');
        push_str(out, value);
    }
    out.push(b'}');
}
