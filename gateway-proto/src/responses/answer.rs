//! Whole answers.

use super::ResponsesRequest;
use super::object::ResponseObject;
use super::stream::{Framing, ResponseStream};
use crate::dialect::StreamEncoder;
use crate::ir::{Answer, Block, Step};

/// The response that a whole answer makes: the same one that its events would.
///
/// An answer does not say which of its texts its log probabilities belong to; they stand with the first.
#[must_use]
pub fn encode_answer(
    request: &ResponsesRequest,
    answer: &Answer,
    completed_at: u64,
) -> ResponseObject {
    let mut stream = ResponseStream::new(request, &answer.head, Framing::Silent);
    let mut out = Vec::new();
    stream.set_time(completed_at);
    stream.begin(&mut out);
    stream.usage(answer.usage);
    if let Some(choice) = answer.choices.first() {
        let mut logprobs = choice.logprobs.clone();
        for block in &choice.blocks {
            if matches!(block, Block::Text(_)) {
                let tokens = std::mem::take(&mut logprobs);
                stream.step(&Step::Logprobs(tokens), &mut out);
            }
            push_block(&mut stream, block, &mut out);
        }
        if let Some(finish) = choice.finish.clone() {
            let step = Step::Finished {
                finish,
                stop: None,
                violation: choice.violation.clone(),
            };
            stream.step(&step, &mut out);
        }
    }
    stream.finish(&mut out);
    stream.into_response()
}

fn push_block(stream: &mut ResponseStream, block: &Block, out: &mut Vec<u8>) {
    match block {
        Block::Text(text) => stream.text(text, out),
        Block::Reasoning { text, .. } => stream.reasoning(text, out),
        Block::Call(call) => {
            stream.call_start(&call.id, &call.name, out);
            stream.call_arguments(&call.arguments, out);
            stream.call_end(out);
        }
    }
}
