//! SGLang's bootstrap. Source: SGLang 0.5.23, `disaggregation`.
//!
//! Both legs get the same body at once, with the prefill engine's bootstrap address and a room that no other live request
//! has. Nothing couples the legs: one whose partner never comes waits for minutes.

use super::LegEdit;

/// A prefill engine's bootstrap port where nobody configured another.
pub const BOOTSTRAP_PORT: u16 = 8998;

/// The greatest room: 63 bits.
pub const ROOMS: u64 = i64::MAX as u64;

/// Either leg.
#[must_use]
pub fn leg(host: &str, port: u16, room: u64) -> LegEdit {
    LegEdit::default()
        .set("bootstrap_host", host)
        .set("bootstrap_port", &port)
        .set("bootstrap_room", &(room & ROOMS))
}

/// Whether an engine's words blame the hand-over, and not the engine that says them.
#[must_use]
pub fn blames_transfer(message: &str) -> bool {
    const WORDS: [&str; 4] = [
        "Prefill bootstrap failed",
        "Prefill transfer failed",
        "Decode handshake failed",
        "Decode transfer failed",
    ];
    WORDS.iter().any(|words| message.contains(words))
}
