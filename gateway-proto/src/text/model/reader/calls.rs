//! Ids for tool calls.

use gateway_core::hash;

use crate::text::parse::Family;

/// Letters of an id.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Gives every call of a choice an id, in the form that the model's own template takes back.
#[derive(Debug)]
pub(super) struct CallIds {
    family: Family,
    seed: u64,
    next: u64,
    /// Ids of the model's own so far, which it may give twice.
    own: Vec<String>,
}

impl CallIds {
    pub(super) fn new(family: Family, seed: u64, choice: u32) -> Self {
        let seed = hash::seed(&[&seed.to_le_bytes(), &choice.to_le_bytes()]);
        Self {
            family,
            seed,
            next: 0,
            own: Vec::new(),
        }
    }

    /// The id of the next call: the model's own, else one made from the request and the call's number.
    pub(super) fn next(&mut self, own: Option<String>, name: &str) -> String {
        let number = self.next;
        self.next += 1;
        let fresh = own.filter(|own| !own.is_empty() && !self.own.contains(own));
        match (fresh, self.family) {
            (Some(own), _) => {
                self.own.push(own.clone());
                own
            }
            (_, Family::KimiK2) => format!("functions.{name}:{number}"),
            // Mistral's templates refuse ids of any other length.
            (_, Family::Mistral) => self.letters(number, 9),
            _ => format!("call_{}", self.letters(number, 24)),
        }
    }

    fn letters(&self, number: u64, count: usize) -> String {
        let mut state = 0;
        let letter = |at: usize| {
            if at.is_multiple_of(8) {
                let place = (at as u64).to_le_bytes();
                state = hash::seed(&[&self.seed.to_le_bytes(), &number.to_le_bytes(), &place]);
            }
            let letter = LETTERS[(state % 62) as usize];
            state /= 62;
            char::from(letter)
        };
        (0..count).map(letter).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_the_family_and_never_repeat_in_an_answer() {
        let ids = |family| {
            let mut ids = CallIds::new(family, 7, 0);
            [ids.next(None, "f"), ids.next(None, "f")]
        };
        let [first, second] = ids(Family::Hermes);
        assert!(first.starts_with("call_") && first.len() == 29 && first != second);
        assert_eq!(ids(Family::Hermes), [first, second], "the same again");
        assert!(ids(Family::Mistral).iter().all(|id| id.len() == 9));
        assert_eq!(ids(Family::KimiK2)[1], "functions.f:1");
        let mut own = CallIds::new(Family::Hermes, 7, 0);
        assert_eq!(own.next(Some("x".to_owned()), "f"), "x");
        assert_ne!(
            own.next(Some("x".to_owned()), "f"),
            "x",
            "twice is once too often"
        );
    }
}
