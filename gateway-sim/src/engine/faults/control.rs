//! Which faults are ordered, and which strikes next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_core::Rng;

use super::{FaultKind, FaultSpec};

/// The most faults that may be ordered at a time; the oldest go first.
const MOST_ARMED: usize = 64;

/// The faults of one engine.
#[derive(Debug)]
pub(in crate::engine) struct FaultControl {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    armed: Vec<FaultSpec>,
    rng: Rng,
}

impl FaultControl {
    /// No faults; `seed` decides those that strike by probability.
    pub(in crate::engine) const fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                armed: Vec::new(),
                rng: Rng::from_seed(seed),
            }),
        }
    }

    /// The faults ordered now, with the counts they have left.
    pub(in crate::engine) fn armed(&self) -> Vec<FaultSpec> {
        self.state().armed.clone()
    }

    /// Takes back all faults.
    pub(in crate::engine) fn clear(&self) {
        self.state().armed.clear();
    }

    pub(in crate::engine) fn arm(&self, spec: FaultSpec) {
        let armed = &mut self.state().armed;
        if armed.len() == MOST_ARMED {
            armed.remove(0);
        }
        armed.push(spec);
    }

    /// Whether a fault of this kind strikes now; takes one off its count.
    pub(in crate::engine) fn strike(&self, kind: FaultKind) -> Option<FaultSpec> {
        self.strike_if(kind, |_| true)
    }

    /// The same for a fault that strikes only where `condition` holds.
    pub(in crate::engine) fn strike_if(
        &self,
        kind: FaultKind,
        condition: impl Fn(&FaultSpec) -> bool,
    ) -> Option<FaultSpec> {
        let State { armed, rng } = &mut *self.state();
        let place = armed
            .iter()
            .position(|spec| spec.kind == kind && condition(spec))?;
        let spec = armed[place].clone();
        if spec.probability < 1.0 && rng.unit() >= spec.probability {
            return None;
        }
        match &mut armed[place].count {
            Some(count) if *count <= 1 => drop(armed.remove(place)),
            Some(count) => *count -= 1,
            None => {}
        }
        Some(spec)
    }

    /// Another task's panic leaves a list of faults that is still a list of faults.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_as_often_as_ordered() {
        let control = FaultControl::new(1);
        control.arm(FaultSpec::new(FaultKind::Error500).times(2));
        control.arm(FaultSpec::new(FaultKind::Hang));
        let strikes = |kind| (0..10).filter(|_| control.strike(kind).is_some()).count();
        assert_eq!(strikes(FaultKind::Error500), 2);
        assert_eq!(strikes(FaultKind::Hang), 10);
        assert_eq!(strikes(FaultKind::Busy503), 0);
        control.clear();
        assert_eq!(strikes(FaultKind::Hang), 0);
    }

    #[test]
    fn strikes_as_likely_as_ordered_and_repeats_from_its_seed() {
        let strikes = |seed| {
            let control = FaultControl::new(seed);
            control.arm(FaultSpec::new(FaultKind::Hang).with_probability(0.25));
            (0..1_000)
                .filter(|_| control.strike(FaultKind::Hang).is_some())
                .count()
        };
        assert!((200..300).contains(&strikes(7)), "{}", strikes(7));
        assert_eq!(strikes(7), strikes(7));
    }

    #[test]
    fn is_ordered_in_json() {
        let spec: FaultSpec =
            serde_json::from_str(r#"{"kind":"error_500","count":3}"#).expect("valid");
        assert_eq!(spec, FaultSpec::new(FaultKind::Error500).times(3));
        assert!(serde_json::from_str::<FaultSpec>(r#"{"kind":"earthquake"}"#).is_err());
        assert!(serde_json::from_str::<FaultSpec>(r#"{"kind":"hang","cuont":3}"#).is_err());
    }
}
