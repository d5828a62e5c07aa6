//! The name of a request.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use gateway_core::Rng;
use http::{HeaderMap, HeaderValue};

/// The header, both ways.
pub(super) const HEADER: &str = "x-request-id";

/// The longest id that is taken from a caller, in bytes.
const BYTES_AT_MOST: usize = 128;

/// Makes ids: 24 hex digits, of which the first eight are the process's and the others never repeat within it.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u32,
    seed: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// # Errors
    /// Where the system has no randomness to give.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let (process, seed) = (getrandom::u32()?, getrandom::u64()?);
        Ok(Self {
            process,
            seed,
            next: AtomicU64::new(0),
        })
    }

    /// A number that differs between processes.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The id that the caller gave, if it is a sane one, else a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> RequestId {
        let told = headers
            .get(HEADER)
            .filter(|value| is_sane(value.as_bytes()));
        if let Some(header) = told
            && let Ok(text) = header.to_str()
        {
            return RequestId {
                text: Arc::from(text),
                header: header.clone(),
            };
        }
        let mut digits = [0; 24];
        let text = self.make(&mut digits);
        let header = HeaderValue::from_str(text).expect("hex digits are a header value");
        RequestId {
            text: Arc::from(text),
            header,
        }
    }

    /// A word that no other caller of this has got and no caller chose.
    pub(super) fn fresh(&self) -> Arc<str> {
        Arc::from(self.make(&mut [0; 24]))
    }

    fn make<'a>(&self, digits: &'a mut [u8; 24]) -> &'a str {
        let count = self.next.fetch_add(1, Relaxed);
        // The generator's output is a permutation of its state, so different counts give different numbers.
        let number = Rng::from_seed(self.seed.wrapping_add(count)).next_u64();
        let whole = (u128::from(self.process) << 64) | u128::from(number);
        for (at, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(whole >> (4 * at)) as usize & 15];
        }
        std::str::from_utf8(digits).expect("hex digits are text")
    }
}

/// A request's id in the two forms it is needed in.
#[derive(Clone, Debug)]
pub(super) struct RequestId {
    pub(super) text: Arc<str>,
    pub(super) header: HeaderValue,
}

/// Visible ASCII of a length that logs can bear.
fn is_sane(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= BYTES_AT_MOST && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn new_ids_differ() {
        let ids = RequestIds::new().expect("randomness");
        let made: HashSet<_> = (0..10_000)
            .map(|_| ids.of(&HeaderMap::new()).text)
            .collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.len() == 24));
    }

    #[test]
    fn only_sane_ids_are_taken() {
        let ids = RequestIds::new().expect("randomness");
        let long = "x".repeat(129);
        for (told, taken) in [
            ("abc-1", true),
            ("", false),
            ("a b", false),
            (&long, false),
            (&long[..128], true),
            ("é", false),
        ] {
            let headers = [(
                HEADER.parse().expect("a name"),
                HeaderValue::from_bytes(told.as_bytes()).expect("a value"),
            )];
            let id = ids.of(&headers.into_iter().collect());
            assert_eq!(&*id.text == told, taken, "{told}");
            assert_eq!(id.header.as_bytes(), id.text.as_bytes());
        }
    }
}
