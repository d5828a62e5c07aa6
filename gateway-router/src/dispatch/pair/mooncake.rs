//! vLLM's `MooncakeConnector`: the prefill engine's bootstrap port says who it is, then both legs at once.

use gateway_proto::engines::transfer::mooncake;

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
        match (&mut self.state, event) {
            (State::Asking, Event::Told(Ok(answer))) => {
                let Some(peer) = mooncake::peer(&answer) else {
                    return Order::GiveUp(Broken::nothing_handed_over());
                };
                self.state = State::BothOut(Concurrent::default());
                let Terms {
                    room,
                    bootstrap: (host, port),
                    ..
                } = &self.terms;
                let transfer = format!("{room:016x}");
                Order::Both {
                    prefill: mooncake::prefill(&transfer, &peer),
                    decode: mooncake::decode(&transfer, &peer, host, *port),
                }
            }
            (State::Asking, Event::Told(Err(error))) => Order::GiveUp(Broken::prefill(error)),
            (State::Asking, _) => Order::Wait,
            (State::BothOut(legs), event) => legs.on(event),
        }
    }
}
