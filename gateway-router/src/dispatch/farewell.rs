//! The event that ends a broken stream, in the words of its API.

use bytes::{BufMut as _, Bytes, BytesMut};
use gateway_proto::{anthropic, error::ApiError, openai::Api};

/// One event that tells of `error`; nothing that looks like a good ending follows it.
pub(super) fn farewell(api: Api, error: &ApiError, request_id: Option<&str>) -> Bytes {
    match api {
        Api::Messages => event(&anthropic::error_body(error, request_id)),
        Api::Responses => event(&response_error(error)),
        _ => error.to_event(request_id),
    }
}

fn event(data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len() + 24);
    out.put_slice(b"event: error\ndata: ");
    out.put_slice(data);
    out.put_slice(b"\n\n");
    out.freeze()
}

/// The members of OpenAI's `error` event. What the engine counted its events by is not known here, so that the number is
/// left out.
fn response_error(error: &ApiError) -> Vec<u8> {
    let body = serde_json::json!({
        "type": "error",
        "code": error.code.as_deref().unwrap_or(&error.kind),
        "message": error.message,
        "param": error.param,
    });
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_is_told_in_its_own_words() {
        let error = ApiError::upstream("It broke.");
        let told = |api| farewell(api, &error, Some("r-1"));
        for (api, opening) in [
            (
                Api::ChatCompletions,
                "data: {\"error\":{\"message\":\"It broke.",
            ),
            (
                Api::Messages,
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"It broke.",
            ),
            (Api::Responses, "event: error\ndata: {"),
        ] {
            let told = told(api);
            let text = std::str::from_utf8(&told).expect("text");
            assert!(
                text.starts_with(opening) && text.ends_with("}\n\n"),
                "{text}"
            );
            let data = text.rsplit_once("data: ").expect("data").1;
            let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
            let is_openai = api == Api::ChatCompletions;
            assert!(is_openai || data["type"] == "error", "{data}");
        }
    }
}
