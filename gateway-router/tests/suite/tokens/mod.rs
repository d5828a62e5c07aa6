//! Tokens in, tokens out, through the router.

mod ends;
mod engines;
mod legs;
mod routes;

use gateway_router::{
    EngineKind, RouteError, RouterSettings, TokenReply, TokenRequest, TokenStep,
    proto::{engines::TokenCall, ir::Usage, openai::Api},
};

use crate::common::{
    rig::{self, Rig},
    script::ScriptEngine,
    within,
};

/// Events of vLLM's `/inference/v1/generate`.
const FIVE: &str =
    "data: {\"choices\":[{\"index\":0,\"token_ids\":[5],\"finish_reason\":null}]}\n\n";
const SIX: &str =
    "data: {\"choices\":[{\"index\":0,\"token_ids\":[6],\"finish_reason\":null}]}\n\n";
const LAST: &str =
    "data: {\"choices\":[{\"index\":0,\"token_ids\":[7],\"finish_reason\":\"length\"}]}\n\n";
const USED: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":1}}}\n\n";

fn call(prompt: &[u32]) -> TokenCall {
    TokenCall::new("m", prompt, 5)
}

fn request() -> TokenRequest {
    let mut request = TokenRequest::new(Api::ChatCompletions, call(&[1, 2, 3]));
    request.request_id = "r-7".into();
    request
}

/// Settings of engines `a`, `b`, ... of these kinds.
fn settings(engines: &[(&ScriptEngine, EngineKind)]) -> RouterSettings {
    let addrs: Vec<_> = engines.iter().map(|(engine, _)| engine.addr).collect();
    let mut settings = rig::settings(&addrs);
    for (endpoint, (_, kind)) in settings.endpoints.iter_mut().zip(engines) {
        endpoint.kind = *kind;
    }
    settings
}

/// A router over vLLM engines.
fn vllm(engines: &[&ScriptEngine]) -> Rig {
    let engines: Vec<_> = engines
        .iter()
        .map(|&engine| (engine, EngineKind::Vllm))
        .collect();
    Rig::with(settings(&engines))
}

async fn generate(rig: &Rig) -> Result<TokenReply, RouteError> {
    within(rig.router.generate(request())).await
}

/// All ids and how the stream ended; nothing may follow the end.
async fn read(mut reply: TokenReply) -> (Vec<u32>, Result<Usage, RouteError>) {
    let mut ids = Vec::new();
    let end = loop {
        match within(reply.events.next()).await.expect("an end") {
            TokenStep::Event(event) => ids.extend(event.ids),
            TokenStep::Done { usage } => break Ok(usage),
            TokenStep::Failed(error) => break Err(error),
        }
    };
    assert!(within(reply.events.next()).await.is_none(), "one end");
    (ids, end)
}

fn used(prompt_tokens: u64, completion_tokens: u64, cached_tokens: Option<u64>) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens,
        cached_tokens,
        reasoning_tokens: None,
    }
}
