//! Loading and unloading LoRA adapters while the engine runs.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::reply::{self, Body};
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::engine::shell::Shell;

/// Loads `lora_name`.
pub(super) fn load(shell: &Shell, body: &Value) -> Result<Response<Body>, ApiError> {
    let name = name(body)?;
    if !shell.adapters.load(name) {
        let message = format!("The lora adapter '{name}' has already been loaded.");
        return Err(ApiError::bad_request("", message));
    }
    Ok(done(shell, name, "added"))
}

/// Unloads `lora_name`.
pub(super) fn unload(shell: &Shell, body: &Value) -> Result<Response<Body>, ApiError> {
    let name = name(body)?;
    if !shell.adapters.unload(name) {
        return Err(ApiError::not_found(format!(
            "The lora adapter '{name}' cannot be found."
        )));
    }
    Ok(done(shell, name, "removed"))
}

fn name(body: &Value) -> Result<&str, ApiError> {
    let name = body["lora_name"].as_str().filter(|name| !name.is_empty());
    name.ok_or_else(|| {
        let message = "Both 'lora_name' and 'lora_path' must be provided.";
        ApiError::bad_request("", message)
    })
}

/// vLLM answers in plain words, `SGLang` with its list.
fn done(shell: &Shell, name: &str, what: &str) -> Response<Body> {
    if shell.config.flavour == Flavour::Sglang {
        let names = shell.adapters.names().into_iter();
        let loaded: Value = names.map(|name| (name, json!(""))).collect();
        return reply::json(
            &json!({"success": true, "error_message": "", "loaded_adapters": loaded}),
        );
    }
    let text = format!("Success: LoRA adapter '{name}' {what} successfully.");
    reply::full(StatusCode::OK, "text/plain; charset=utf-8", text.into())
}
