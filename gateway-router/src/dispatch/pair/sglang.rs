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
        let (rank, room) = match self.terms.rank {
            Some((rank, ranks)) => (Some(rank), sglang::room_at(self.terms.room, rank, ranks)),
            None => (None, self.terms.room),
        };
        Order::Both {
            prefill: sglang::prefill(host, *port, room),
            decode: sglang::decode(host, *port, room, rank),
        }
    }

    fn on(&mut self, event: Event) -> Order {
        self.legs.on(event)
    }
}
