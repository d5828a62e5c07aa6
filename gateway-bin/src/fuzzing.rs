//! Bodies of the fuzz targets: each takes any bytes and asserts what must hold of them.

use std::path::Path;

use crate::config::{self, Environment};

/// Any bytes as a configuration: read or refused with a place inside them, the same each time, and never a panic.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let read = || config::read(text, Path::new("fuzz.yaml"), &Environment::empty());
    match (read(), read()) {
        (Ok(first), Ok(second)) => assert_eq!(
            format!("{first:?}"),
            format!("{second:?}"),
            "one text, two meanings"
        ),
        (Err(first), Err(second)) => {
            assert_eq!(first, second);
            assert!(first.to_string().starts_with("fuzz.yaml"), "{first}");
            if let Some(place) = first.place {
                let lines = text
                    .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
                    .count() as u64;
                assert!(
                    (1..=lines + 1).contains(&place.line) && place.column >= 1,
                    "{first}: outside of {lines} lines"
                );
            }
        }
        (first, second) => panic!("accepted once: {first:?} {second:?}"),
    }
}
