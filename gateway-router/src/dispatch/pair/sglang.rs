//! SGLang's bootstrap: both legs at once, which meet in a room.

use gateway_proto::engines::transfer::sglang;

use super::{
    concurrent::Concurrent,
    machine::{Event, Machine, Order, Terms},
};

#[derive(Debug)]
pub(super) struct Sglang {
    terms: Terms,
    legs: Concurrent,
}

impl Sglang {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            legs: Concurrent::default(),
        }
    }
}

impl Machine for Sglang {
    fn start(&mut self) -> Order {
        let (host, port) = &self.terms.bootstrap;
        let leg = sglang::leg(host, *port, self.terms.room);
        Order::Both {
            prefill: leg.clone(),
            decode: leg,
        }
    }

    fn on(&mut self, event: Event) -> Order {
        self.legs.on(event)
    }
}
