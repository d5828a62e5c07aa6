//! SGLang's bootstrap. Source: SGLang 0.5.23, `disaggregation`.
//!
//! Both legs get the same body at once, with the prefill engine's bootstrap address and a room that no other live request
//! has. Of a prefill engine with several data-parallel ranks the decode leg must name the one that the prefill leg was sent
//! to; where it does not, rank `room % ranks` is meant. Nothing couples the legs: one whose partner never comes waits for minutes.

use super::LegEdit;

/// A prefill engine's bootstrap port where nobody configured another.
pub const BOOTSTRAP_PORT: u16 = 8998;

/// The greatest room: 63 bits.
pub const ROOMS: u64 = i64::MAX as u64;

/// `room` moved to where engines that let rooms decide of `ranks` data-parallel ranks send it to `rank`.
#[must_use]
pub fn room_at(room: u64, rank: u32, ranks: u32) -> u64 {
    let ranks = u64::from(ranks.max(rank.saturating_add(1)));
    let least = room & ROOMS;
    let aligned = least - least % ranks + u64::from(rank);
    // Past the last room is one turn too far.
    if aligned > ROOMS {
        aligned - ranks
    } else {
        aligned
    }
}

/// The decode leg: as [`prefill`], but streamed where the caller streams, and which data-parallel rank prefills, where the
/// request was sent to one.
#[must_use]
pub fn decode(host: &str, port: u16, room: u64, prefill_rank: Option<u32>) -> LegEdit {
    let leg = leg(LegEdit::default(), host, port, room);
    match prefill_rank {
        Some(rank) => leg.set("disagg_prefill_dp_rank", &rank),
        None => leg,
    }
}

/// The prefill leg. Its answer comes whole, as the status of a stream says nothing of how the leg went.
#[must_use]
pub fn prefill(host: &str, port: u16, room: u64) -> LegEdit {
    leg(LegEdit::default().whole(), host, port, room)
}

fn leg(edit: LegEdit, host: &str, port: u16, room: u64) -> LegEdit {
    edit.set("bootstrap_host", host)
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
