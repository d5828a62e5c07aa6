//! Both legs at once: the first that fails ends the other, and the decode leg's answer counts.

use super::{
    broken::Broken,
    machine::{Event, Order},
};
use crate::{ErrorKind, RouteError};

/// Both legs, once they are out.
#[derive(Debug, Default)]
pub(super) struct Concurrent {
    is_prefilled: bool,
    /// Whether engines do not say that it was the hand-over that failed.
    is_wordless: bool,
    /// All that follows is nobody's.
    is_over: bool,
}

impl Concurrent {
    /// Of engines that do not say that it was the hand-over that failed.
    pub(super) fn wordless() -> Self {
        Self {
            is_wordless: true,
            ..Self::default()
        }
    }

    /// What follows `event`. The prefill leg's answer says nothing.
    pub(super) fn on(&mut self, event: Event) -> Order {
        if self.is_over {
            return Order::Wait;
        }
        let order = match event {
            Event::Prefilled(Ok(_)) => {
                self.is_prefilled = true;
                return Order::Wait;
            }
            Event::Told(_) | Event::Joined(_) | Event::Heard(_) => return Order::Wait,
            Event::Prefilled(Err(error)) => Order::GiveUp(self.broken(error, Broken::prefill)),
            Event::Decoding(Err(error)) => Order::GiveUp(self.not_decoding(error)),
            Event::Decoding(Ok(())) => Order::Take,
        };
        self.is_over = true;
        order
    }

    fn not_decoding(&self, error: RouteError) -> Broken {
        // Until prefill has taken the request it may be the caller's mistake.
        let may_be_callers = error.kind() == ErrorKind::Rejected && !self.is_prefilled;
        if self.is_wordless && !may_be_callers {
            self.broken(error, Broken::fetching)
        } else {
            self.broken(error, Broken::decode)
        }
    }

    /// A leg waits for its partner, so that silence tells nothing of either while both are silent.
    fn broken(&self, error: RouteError, blamed: fn(RouteError) -> Broken) -> Broken {
        if error.kind() == ErrorKind::Timeout && !self.is_prefilled {
            Broken::silent(error)
        } else {
            blamed(error)
        }
    }
}
