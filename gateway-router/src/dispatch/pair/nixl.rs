//! vLLM's `NixlConnector`: prefill, then decode with what prefill handed over.

use gateway_proto::engines::transfer::nixl;

use super::{
    broken::Broken,
    machine::{Event, Machine, Order},
};

#[derive(Debug, Default)]
pub(super) enum Nixl {
    #[default]
    Prefilling,
    /// What was handed over is spent.
    Decoding,
}

impl Machine for Nixl {
    fn start(&mut self) -> Order {
        Order::Prefill(nixl::prefill())
    }

    fn on(&mut self, event: Event) -> Order {
        match (&self, event) {
            (Self::Prefilling, Event::Prefilled(Ok(answer))) => match nixl::decode(&answer) {
                Some(edit) => {
                    *self = Self::Decoding;
                    Order::Decode(edit)
                }
                // With the first token the last, or too short a prompt: whoever gets the request computes it anew.
                None => Order::GiveUp(Broken::nothing_handed_over()),
            },
            (Self::Prefilling, Event::Prefilled(Err(error))) => {
                Order::GiveUp(Broken::prefill(error))
            }
            (Self::Decoding, Event::Decoding(Ok(()))) => Order::Take,
            (Self::Decoding, Event::Decoding(Err(error))) => Order::GiveUp(Broken::decode(error)),
            _ => Order::Wait,
        }
    }
}
