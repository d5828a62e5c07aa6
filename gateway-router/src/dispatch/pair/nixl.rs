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
    /// All that follows is nobody's.
    Over,
}

impl Machine for Nixl {
    fn start(&mut self) -> Order {
        Order::Prefill(nixl::prefill())
    }

    fn on(&mut self, event: Event) -> Order {
        let (next, order) = match (&self, event) {
            (Self::Prefilling, Event::Prefilled(Ok(answer))) => match nixl::decode(&answer) {
                Some(edit) => (Self::Decoding, Order::Decode(edit)),
                // With the first token the last, or too short a prompt: whoever gets the request computes it anew.
                None => (Self::Over, Order::GiveUp(Broken::nothing_handed_over())),
            },
            (Self::Prefilling, Event::Prefilled(Err(error))) => {
                (Self::Over, Order::GiveUp(Broken::prefill(error)))
            }
            (Self::Decoding, Event::Decoding(begun)) => (Self::Over, Order::of_fetch(begun)),
            _ => return Order::Wait,
        };
        *self = next;
        order
    }
}
