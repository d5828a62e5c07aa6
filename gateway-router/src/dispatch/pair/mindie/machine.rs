//! What is said to whom and when.

use bytes::{Bytes, BytesMut};
use gateway_proto::engines::transfer::mindie::{self, Answered, Target, What};
use http::StatusCode;

use super::{
    super::{
        broken::Broken,
        machine::{Event, Machine, Order, Terms},
    },
    RECOMPUTES_AT_MOST, rounds,
};
use crate::{ErrorKind, Retry, RouteError, engine::status};

/// One request on its way. Nothing of the answer is shown before the decode engine has spoken: until then a hand-over that
/// fails costs the caller nothing but time, as with all connectors.
#[derive(Debug)]
pub(in crate::dispatch::pair) struct MindIe {
    terms: Terms,
    state: State,
    /// What there is of the answer.
    head: BytesMut,
    /// How often the decode engine threw the request out.
    recomputes: u32,
    /// What the decode engine said before the prefill engine had answered.
    early: Option<(What, Bytes)>,
}

#[derive(Debug)]
enum State {
    /// A seat is taken at the decode engine; then the prefill leg goes out, with the body that the decode engine gave, if any.
    Joining(Option<Bytes>),
    Prefilling,
    /// The decode engine has the request.
    Hearing,
    /// It has spoken.
    Following,
    /// All that follows is nobody's.
    Over,
}

impl MindIe {
    pub(in crate::dispatch::pair) fn new(terms: Terms) -> Self {
        Self {
            terms,
            state: State::Joining(None),
            head: BytesMut::new(),
            recomputes: 0,
            early: None,
        }
    }

    fn id(&self) -> String {
        rounds::id_of(self.terms.room, self.recomputes)
    }

    fn prefill(&mut self, target: Target, again: Option<Bytes>) -> (State, Order) {
        let edit = match again {
            None => mindie::prefill(&self.id(), target),
            Some(body) => mindie::recompute(&self.id(), target, body),
        };
        (State::Prefilling, Order::Prefill(edit))
    }

    fn prefilled(&mut self, answer: &[u8]) -> (State, Order) {
        let Some(Answered { first, is_last }) = mindie::answered(answer, &self.id()) else {
            return (State::Over, Order::GiveUp(Broken::nothing_handed_over()));
        };
        self.head.extend_from_slice(&first);
        if is_last {
            let whole = self.head.split().freeze();
            let order = if self.terms.streams {
                Order::AdoptEvents(whole)
            } else {
                Order::Adopt(whole)
            };
            return (State::Over, order);
        }
        match self.early.take() {
            Some(part) => self.heard(part),
            None => (State::Hearing, Order::Hear),
        }
    }

    fn heard(&mut self, (what, body): (What, Bytes)) -> (State, Order) {
        match what {
            What::Data | What::Last => {
                self.head.extend_from_slice(&body);
                let order = Order::Follow {
                    head: self.head.split().freeze(),
                    is_over: what == What::Last,
                    recomputes: self.recomputes,
                };
                (State::Following, order)
            }
            What::Retry if self.recomputes < RECOMPUTES_AT_MOST => {
                self.recomputes += 1;
                (State::Joining(Some(body)), Order::Join(self.id()))
            }
            What::Retry => give_up(thrown_out()),
            What::Error => give_up(failure(&body)),
        }
    }
}

impl Machine for MindIe {
    fn start(&mut self) -> Order {
        match self.terms.handed_to {
            Some(_) => Order::Join(self.id()),
            None => {
                self.state = State::Over;
                Order::GiveUp(Broken::no_pair(
                    "The decode engine has no address that a prefill engine takes.",
                ))
            }
        }
    }

    fn on(&mut self, event: Event) -> Order {
        let target = self.terms.handed_to;
        let (next, order) = match (&mut self.state, event) {
            (State::Joining(again), Event::Joined(Ok(()))) => {
                let again = again.take();
                self.prefill(target.expect("it has begun"), again)
            }
            (State::Prefilling, Event::Prefilled(Ok(answer))) => self.prefilled(&answer),
            (State::Prefilling, Event::Prefilled(Err(error))) => {
                (State::Over, Order::GiveUp(Broken::prefill(error)))
            }
            // It has been handed over, which the prefill engine is about to say.
            (State::Prefilling, Event::Heard(Ok((what, body)))) if what != What::Error => {
                self.early = Some((what, body));
                return Order::Wait;
            }
            (State::Prefilling | State::Hearing, Event::Heard(Ok(part))) => self.heard(part),
            (State::Joining(_), Event::Joined(Err(error)))
            | (State::Prefilling | State::Hearing, Event::Heard(Err(error))) => give_up(error),
            (State::Following, Event::Decoding(begun)) => (State::Over, Order::of_decode(begun)),
            _ => return Order::Wait,
        };
        self.state = next;
        order
    }
}

fn give_up(error: RouteError) -> (State, Order) {
    (State::Over, Order::GiveUp(Broken::decode(error)))
}

/// A decode engine's own words for why it failed.
fn failure(words: &[u8]) -> RouteError {
    status::read(StatusCode::INTERNAL_SERVER_ERROR, words)
}

fn thrown_out() -> RouteError {
    let message = "The decode engine threw the request out again and again.";
    RouteError::engine(ErrorKind::Recomputed, Retry::OtherEndpoint, message)
}
