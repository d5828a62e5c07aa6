//! vLLM's `MooncakeConnector`: the prefill engine's bootstrap port says who it is, then both legs at once.

use gateway_proto::engines::transfer::mooncake::{self, Peer};

use super::{
    broken::Broken,
    concurrent::Concurrent,
    machine::{Event, Machine, Order, Terms},
};

#[derive(Debug)]
pub(super) struct Mooncake {
    terms: Terms,
    state: State,
}

#[derive(Debug)]
enum State {
    Asking,
    BothOut(Concurrent),
    /// It could not be asked; all that follows is nobody's.
    Over,
}

impl Mooncake {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            state: State::Asking,
        }
    }
}

impl Machine for Mooncake {
    fn start(&mut self) -> Order {
        Order::Ask
    }

    fn on(&mut self, event: Event) -> Order {
        let (next, order) = match (&mut self.state, event) {
            (State::Asking, Event::Told(Ok(answer))) => match self.peer(&answer) {
                Some(peer) => (State::BothOut(Concurrent::wordless()), self.both(&peer)),
                None => (State::Over, Order::GiveUp(Broken::nothing_handed_over())),
            },
            (State::Asking, Event::Told(Err(error))) => {
                (State::Over, Order::GiveUp(Broken::prefill(error)))
            }
            (State::BothOut(legs), event) => return legs.on(event),
            (State::Asking | State::Over, _) => return Order::Wait,
        };
        self.state = next;
        order
    }
}

impl Mooncake {
    fn peer(&self, answer: &[u8]) -> Option<Peer> {
        let rank = self.terms.rank.map(|(rank, _)| rank);
        mooncake::peer(answer, rank, self.terms.room)
    }

    fn both(&self, peer: &Peer) -> Order {
        let Terms {
            room,
            bootstrap: (host, port),
            ..
        } = &self.terms;
        let transfer = format!("{room:016x}");
        Order::Both {
            prefill: mooncake::prefill(&transfer, peer),
            decode: mooncake::decode(&transfer, peer, host, *port),
        }
    }
}
