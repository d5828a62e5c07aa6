//! The body as a whole.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::echo::echo;
use super::format::{take_reasoning, take_text};
use super::sampling::{take_engine_options, take_logprobs, take_sampling};
use super::{ResponsesRequest, Settings};
use crate::dialect::DialectError;
use crate::ir::{Fields, Request};
use crate::responses::items::read_input;
use crate::responses::node::Node;
use crate::responses::tools::{decode_choice, decode_tools};

/// Reads the body of `POST /v1/responses`.
///
/// Members that this API does not have are kept in the request's `extra`. Tools that the service does not run are kept
/// for telling them back and are not shown to the model.
///
/// # Errors
/// [`DialectError`] with the path of the member at fault, as `input[3].call_id`.
pub fn decode_request(body: &[u8]) -> Result<ResponsesRequest, DialectError> {
    decode_node(Node::body(body)?)
}

pub(in crate::responses) fn decode_node(mut node: Node) -> Result<ResponsesRequest, DialectError> {
    refuse_prompt(&mut node)?;
    let mut request = Request {
        model: node.require_name("model")?,
        stream: node.take("stream")?.unwrap_or(false),
        parallel_tool_calls: node.take("parallel_tool_calls")?,
        sampling: take_sampling(&mut node)?,
        stream_options: stream_options(&mut node)?,
        ..Request::default()
    };
    request.include_usage = request.stream;
    take_engine_options(&mut node, &mut request)?;
    let mut settings = Settings::take(&mut node)?;
    request.logprobs = take_logprobs(&mut node, &settings.include)?;

    let text = take_text(&mut node)?;
    settings.verbosity = text.verbosity;
    request.format = text.format;
    let reasons = take_reasoning(&mut node)?;
    settings.reasoning_summary = reasons.summary;
    request.reasoning = reasons.reasoning;

    let tools = decode_tools(node.take_raw("tools").as_deref())?;
    let choice = node.take_raw("tool_choice");
    request.tool_choice = decode_choice(choice.as_deref(), &tools)?;
    request.tools = tools.offered;

    let input = node.take_raw("input");
    request.extra = node.fields;
    let echo = echo(
        &request,
        &settings,
        &tools.echo,
        choice.as_deref(),
        text.told.as_deref(),
    );
    finish(request, settings, input.as_deref(), tools.names, echo)
}

fn finish(
    request: Request,
    settings: Settings,
    input: Option<&RawValue>,
    names: crate::responses::tools::ToolNames,
    echo: String,
) -> Result<ResponsesRequest, DialectError> {
    let mut decoded = ResponsesRequest {
        request,
        settings,
        input: input.map_or_else(|| Ok(Vec::new()), read_input)?,
        names: Arc::new(names),
        echo: echo.into(),
    };
    // A warm-up may come without any input; what needs a store waits for it.
    let idle = !decoded.settings.generate && decoded.input.is_empty();
    if !decoded.needs_history() && !idle {
        decoded.resolve(&[], &[])?;
    }
    Ok(decoded)
}

fn stream_options(node: &mut Node) -> Result<Fields, DialectError> {
    let Some(mut options) = node.take_node("stream_options")? else {
        return Ok(Fields::new());
    };
    // Padding against eavesdroppers is OpenAI's own, and an engine's chat route knows no such option.
    options.take::<bool>("include_obfuscation")?;
    options.take::<bool>("include_usage")?;
    Ok(options.fields)
}

/// Prompts kept by the service, by id: there are none, and leaving one out would answer another question.
fn refuse_prompt(node: &mut Node) -> Result<(), DialectError> {
    if node.take_raw("prompt").is_none() {
        return Ok(());
    }
    let message = "Stored prompts are not supported; put the text into 'instructions' and 'input'.";
    Err(DialectError::at("prompt", message).with_code("unsupported_parameter"))
}
