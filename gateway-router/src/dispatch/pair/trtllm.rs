//! TensorRT-LLM, context first: prefill, then decode with what prefill handed over, unless prefill has finished alone.

use bytes::Bytes;
use gateway_proto::engines::transfer::trtllm::{self, Answered};

use super::{
    broken::Broken,
    machine::{Event, Machine, Order, Terms},
};

#[derive(Debug)]
pub(super) struct TrtLlm {
    terms: Terms,
    state: State,
}

#[derive(Debug)]
enum State {
    Prefilling,
    /// What was handed over is spent.
    Decoding,
    /// All that follows is nobody's.
    Over,
}

impl TrtLlm {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            state: State::Prefilling,
        }
    }
}

impl Machine for TrtLlm {
    fn start(&mut self) -> Order {
        Order::Prefill(trtllm::prefill(self.terms.room))
    }

    fn on(&mut self, event: Event) -> Order {
        let (next, order) = match (&self.state, event) {
            (State::Prefilling, Event::Prefilled(Ok(answer))) => self.prefilled(answer),
            (State::Prefilling, Event::Prefilled(Err(error))) => {
                (State::Over, Order::GiveUp(Broken::prefill(error)))
            }
            (State::Decoding, Event::Decoding(begun)) => (State::Over, Order::of_fetch(begun)),
            _ => return Order::Wait,
        };
        self.state = next;
        order
    }
}

impl TrtLlm {
    fn prefilled(&self, answer: Bytes) -> (State, Order) {
        match trtllm::answered(&answer, self.terms.is_chat) {
            Answered::HandedOver(edit) => (State::Decoding, Order::Decode(edit)),
            Answered::Finished => (State::Over, Order::Adopt(answer)),
            Answered::Nothing => {
                let broken = Broken::nothing_handed_over();
                (State::Over, Order::GiveUp(broken))
            }
        }
    }
}
