//! Requests that come in sessions: each has what came before it in its prompt.

use super::Cx;
use crate::workload::{Draft, draw};

/// The most turns of one session.
const TURNS_AT_MOST: u32 = 500;
/// Sessions before the first request that counts, in mean lengths of a session: traffic starts in full swing.
const WARM_UP: f64 = 3.0;
/// More sessions than needed on average, so that there are enough requests.
const SPARE: f64 = 1.2;

/// How sessions go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Mean turns of a session, which is geometric; at least 1.
    pub(super) turns: f64,
    /// Mean seconds from a request to the next one of its session, exponential.
    pub(super) pause_seconds: f64,
}

/// Makes sessions until there are as many requests as wanted. `open` begins a session, `turn` makes its next request at
/// the time given.
pub(super) fn play<S>(
    cx: &mut Cx,
    pace: Pace,
    mut open: impl FnMut(&mut Cx) -> S,
    mut turn: impl FnMut(&mut Cx, &mut S, f64) -> Draft,
) -> Vec<Draft> {
    let turns = pace.turns.clamp(1.0, f64::from(TURNS_AT_MOST));
    let pause_seconds = pace.pause_seconds.clamp(0.0, 1e6);
    let traffic = *cx.traffic();
    let warm_up_seconds = WARM_UP * (turns - 1.0) * pause_seconds;
    let rate = traffic.rate / turns;
    let sessions = needed(traffic.requests, turns, warm_up_seconds * rate);
    let starts = traffic.arrivals.times(sessions, rate, &mut cx.rng);
    let mut drafts = Vec::with_capacity(traffic.requests);
    for start in starts {
        let mut session = open(cx);
        let mut at = start - warm_up_seconds;
        for _ in 0..draw::geometric(&mut cx.rng, turns, TURNS_AT_MOST) {
            let draft = turn(cx, &mut session, at);
            if at >= 0.0 {
                drafts.push(draft);
            }
            at += pause_seconds * draw::exponential(&mut cx.rng);
        }
    }
    drafts
}

fn needed(requests: usize, turns: f64, warming: f64) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "requests are bounded, and so are the sessions before them"
    )]
    let sessions = (requests as f64 / turns * SPARE + warming.min(1e6)) as usize;
    sessions + 32
}
