//! The engine as the router drives it.

use std::{future::pending, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use gateway_router::{
    RouteError,
    core::load::Telemetry,
    engine::{BoxTokens, EngineCall, EngineClient, EngineReply, GenerateCall},
    proto::openai::ModelCard,
};
use http::HeaderMap;
use tokio::time::sleep;

use super::{
    adopted::Adopted,
    chat::{self, Asked},
    condition::{Mode, Says},
    errors,
    part::Part,
    state::Engine,
    tokens::Tokens,
    writer::Writing,
};

/// A name of its own for the trait: the engine itself is shared with who strikes it.
pub(crate) struct Client(pub(crate) Arc<Engine>);

fn id_of(headers: &HeaderMap) -> Arc<str> {
    let id = headers.get("x-request-id").expect("requests have ids");
    Arc::from(id.to_str().expect("text"))
}

#[async_trait]
impl EngineClient for Client {
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError> {
        let id = id_of(&call.headers);
        let Asked { call, stream, part } = Asked::of(&call);
        let lease = self.0.admit(&id, &call.prompt, call.max_tokens).await?;
        if part.is_prefill() {
            return self.0.prefilled(&part, &call, id, lease).await;
        }
        self.0.get_prompt(&part, &id).await?;
        let writing = Writing::begin(lease, call, id);
        if stream {
            Ok(chat::streamed(writing))
        } else {
            chat::whole(writing).await
        }
    }

    async fn generate(&self, call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let id = id_of(&call.headers);
        let asked = call;
        let call = Arc::clone(&asked.call);
        let lease = self.0.admit(&id, &call.prompt, call.max_tokens).await?;
        self.0.get_prompt(&Part::of_call(&asked), &id).await?;
        let prompt_tokens = call.prompt.len() as u64;
        let writing = Writing::begin(lease, call, id);
        let tells = self.0.tells_usage;
        Ok(Box::pin(Tokens::of(writing, prompt_tokens, tells)))
    }

    async fn prefill(&self, call: GenerateCall) -> Result<EngineReply, RouteError> {
        let id = id_of(&call.headers);
        let asked = &call.call;
        let lease = self.0.admit(&id, &asked.prompt, asked.max_tokens).await?;
        let part = Part::of_call(&call);
        self.0.prefilled(&part, &call.call, id, lease).await
    }

    fn read_tokens(&self, call: &GenerateCall, reply: EngineReply) -> Option<BoxTokens> {
        Some(Box::pin(Adopted::of(reply, &call.call)))
    }

    async fn ask_bootstrap(&self, _host: &str, _port: u16) -> Result<Bytes, RouteError> {
        self.answers().await?;
        Ok(self.0.introduction())
    }

    async fn probe(&self) -> Result<(), RouteError> {
        self.answers().await
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        let reading = self.0.reading();
        self.answers().await?;
        let says = self.0.condition().borrow().says;
        Ok(match says {
            Says::Nonsense => Telemetry {
                running: Some(u32::MAX),
                waiting: Some(u32::MAX),
                kv_used: Some(f32::NAN),
                kv_capacity_tokens: Some(1),
                prompt_tokens: Some(0),
                ..reading
            },
            _ => reading,
        })
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        self.answers().await.map(|()| Vec::new())
    }
}

impl Client {
    /// Whether small requests are answered.
    async fn answers(&self) -> Result<(), RouteError> {
        let now = *self.0.condition().borrow();
        match (now.mode, now.says) {
            (Mode::Dead, _) => Err(errors::unreachable()),
            (Mode::Hung, _) | (_, Says::Nothing) => pending().await,
            (_, Says::Ill) => Err(errors::failed()),
            (_, Says::Late(late)) => {
                sleep(late).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
