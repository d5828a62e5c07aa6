//! TensorRT-LLM, context first: prefill, then decode with what prefill handed over, unless prefill has finished alone.

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
        match (&self.state, event) {
            (State::Prefilling, Event::Prefilled(Ok(answer))) => {
                match trtllm::answered(&answer, self.terms.is_chat) {
                    Answered::HandedOver(edit) => {
                        self.state = State::Decoding;
                        Order::Decode(edit)
                    }
                    Answered::Finished => Order::Adopt(answer),
                    Answered::Nothing => Order::GiveUp(Broken::nothing_handed_over()),
                }
            }
            (State::Prefilling, Event::Prefilled(Err(error))) => {
                Order::GiveUp(Broken::prefill(error))
            }
            (State::Decoding, Event::Decoding(Ok(()))) => Order::Take,
            (State::Decoding, Event::Decoding(Err(error))) => Order::GiveUp(Broken::decode(error)),
            _ => Order::Wait,
        }
    }
}
