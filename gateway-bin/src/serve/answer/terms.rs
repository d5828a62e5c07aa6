//! The names of members as the caller's API has them.

use gateway_proto::{error::ApiError, openai::Api};

/// `error` as the callers of `api` know its member; checks and models name members as the chat API does.
///
/// Positions of messages are told where the API counts them as chat does: a message of Anthropic's may be several there.
pub(in crate::serve) fn told(api: Api, mut error: ApiError) -> ApiError {
    if let Some(path) = &error.param
        && let Some(own) = own_path(api, path)
    {
        error.message = error.message.replacen(path.as_str(), &own, 1);
        error.param = Some(own);
    }
    error
}

/// The path where it differs from the chat API's.
fn own_path(api: Api, path: &str) -> Option<String> {
    match api {
        Api::Completions | Api::Tokenize if path == "messages" => Some("prompt".to_owned()),
        Api::Messages | Api::CountTokens => of_messages(path),
        Api::Responses => of_responses(path),
        _ => None,
    }
}

fn of_messages(path: &str) -> Option<String> {
    if path.starts_with("messages[") {
        return Some("messages".to_owned());
    }
    if path.starts_with("response_format") {
        return Some("output_config.format".to_owned());
    }
    if let Some(at) = path.strip_prefix("stop[") {
        return Some(format!("stop_sequences.{}", at.trim_end_matches(']')));
    }
    match path {
        "stop" => Some("stop_sequences".to_owned()),
        "tool_choice.function.name" => Some("tool_choice.name".to_owned()),
        _ => {
            let (at, member) = tool(path)?;
            let member = if member == "parameters" {
                "input_schema"
            } else {
                member
            };
            Some(format!("tools.{at}.{member}"))
        }
    }
}

fn of_responses(path: &str) -> Option<String> {
    if path.starts_with("messages") {
        return Some("input".to_owned());
    }
    if path.starts_with("response_format") {
        return Some("text.format".to_owned());
    }
    match path {
        "max_tokens" => Some("max_output_tokens".to_owned()),
        "tool_choice.function.name" => Some("tool_choice.name".to_owned()),
        "tool_choice.allowed_tools.tools" => Some("tool_choice.tools".to_owned()),
        _ => tool(path).map(|(at, member)| format!("tools[{at}].{member}")),
    }
}

/// Position and member of a function's path.
fn tool(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("tools[")?.split_once("].function.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_names_of_their_api() {
        for (api, path, own) in [
            (Api::ChatCompletions, "messages[1].role", "messages[1].role"),
            (Api::Completions, "messages", "prompt"),
            (Api::Messages, "messages[1].tool_call_id", "messages"),
            (
                Api::Messages,
                "tools[3].function.parameters",
                "tools.3.input_schema",
            ),
            (Api::Messages, "tools[3].function.name", "tools.3.name"),
            (Api::Messages, "stop[2]", "stop_sequences.2"),
            (
                Api::Messages,
                "response_format.json_schema.schema",
                "output_config.format",
            ),
            (Api::Messages, "temperature", "temperature"),
            (Api::Responses, "messages[0].content", "input"),
            (Api::Responses, "tools[3].function.name", "tools[3].name"),
            (Api::Responses, "response_format", "text.format"),
            (
                Api::Responses,
                "tool_choice.allowed_tools.tools",
                "tool_choice.tools",
            ),
            (Api::Responses, "max_tokens", "max_output_tokens"),
        ] {
            let message = format!("Invalid '{path}': it is wrong.");
            let error = told(api, ApiError::invalid_request(message).with_param(path));
            assert_eq!(error.param.as_deref(), Some(own));
            assert_eq!(error.message, format!("Invalid '{own}': it is wrong."));
        }
    }
}
