//! What each API adds to the one flow.

use gateway_proto::{
    anthropic,
    dialect::DialectError,
    error::ApiError,
    ir::{Answer, Head, Request},
    openai::{Api, Echo, ReplyOptions, chat, completions},
};

use super::Encoder;

impl Encoder for chat::ChatStream {}
impl Encoder for completions::CompletionStream {}
impl Encoder for anthropic::MessageStream {}

/// An API that is spoken through the neutral form, for one request.
#[derive(Clone, Debug)]
pub(in crate::serve) enum Dialect {
    /// OpenAI's chat.
    Chat,
    /// OpenAI's completions.
    Completions,
    /// Anthropic's Messages.
    Messages,
}

impl Dialect {
    /// Reads a body of `api`.
    ///
    /// # Errors
    /// With the member at fault.
    pub(in crate::serve) fn decode(api: Api, body: &[u8]) -> Result<(Self, Request), ApiError> {
        let openai = |error: gateway_proto::openai::CodecError| ApiError::from(error);
        let anthropic = |error: DialectError| ApiError::from(error);
        Ok(match api {
            Api::Completions => (
                Self::Completions,
                completions::decode_request(body).map_err(openai)?,
            ),
            Api::Messages => (
                Self::Messages,
                anthropic::decode_request(body).map_err(anthropic)?,
            ),
            _ => (Self::Chat, chat::decode_request(body).map_err(openai)?),
        })
    }

    /// Writes a stream.
    ///
    /// `echo` is what the prompts were, where they are to be given back.
    pub(super) fn encoder(
        &self,
        head: Head,
        request: &Request,
        echo: Vec<String>,
    ) -> Box<dyn Encoder> {
        let options = options(request, echo);
        match self {
            Self::Chat => Box::new(chat::ChatStream::new(&head, &options)),
            Self::Completions => Box::new(completions::CompletionStream::new(&head, &options)),
            Self::Messages => Box::new(anthropic::MessageStream::new(head)),
        }
    }

    /// Writes a whole answer.
    pub(super) fn whole(&self, answer: &Answer, request: &Request, echo: Vec<String>) -> Vec<u8> {
        let options = options(request, echo);
        match self {
            Self::Chat => chat::encode_answer(answer, &options),
            Self::Completions => completions::encode_answer(answer, &options),
            Self::Messages => anthropic::encode_answer(answer),
        }
    }
}

fn options(request: &Request, prompts: Vec<String>) -> ReplyOptions {
    let mut options = ReplyOptions::of(request);
    options.echo = request.echo.then(|| Echo {
        prompts,
        n: request.sampling.n.unwrap_or(1),
    });
    options
}
