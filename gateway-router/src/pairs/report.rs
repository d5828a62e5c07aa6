//! What became of a hand-over.

use std::{fmt, sync::Arc, time::Duration};

use gateway_proto::engines::transfer::Connector;

/// Why a pair did not serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PairFault {
    /// There is no splitting such a request: several choices, a single token, or in words that engines take no part of a
    /// hand-over with.
    NotSplittable,
    /// One side of it has nobody who could do it, or nobody who understands the other.
    NoPair,
    /// No connection to the prefill engine.
    PrefillUnreachable,
    /// The prefill engine failed its leg.
    PrefillFailed,
    /// The prefill leg took too long.
    PrefillTimeout,
    /// The prefill engine answered well and handed nothing over that a decode engine can use.
    NothingHandedOver,
    /// No connection to the decode engine.
    DecodeUnreachable,
    /// The decode engine failed its leg before anything was shown.
    DecodeFailed,
    /// The decode leg took too long to begin.
    DecodeTimeout,
    /// Both legs, each of which waits for the other, were silent for too long.
    TransferTimeout,
    /// An engine says that the hand-over failed.
    TransferFailed,
}

impl PairFault {
    /// All faults.
    pub const ALL: [Self; 11] = [
        Self::NotSplittable,
        Self::NoPair,
        Self::PrefillUnreachable,
        Self::PrefillFailed,
        Self::PrefillTimeout,
        Self::NothingHandedOver,
        Self::DecodeUnreachable,
        Self::DecodeFailed,
        Self::DecodeTimeout,
        Self::TransferTimeout,
        Self::TransferFailed,
    ];

    /// The name used in metrics, logs and headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotSplittable => "not_splittable",
            Self::NoPair => "no_pair",
            Self::PrefillUnreachable => "prefill_unreachable",
            Self::PrefillFailed => "prefill_failed",
            Self::PrefillTimeout => "prefill_timeout",
            Self::NothingHandedOver => "nothing_handed_over",
            Self::DecodeUnreachable => "decode_unreachable",
            Self::DecodeFailed => "decode_failed",
            Self::DecodeTimeout => "decode_timeout",
            Self::TransferTimeout => "transfer_timeout",
            Self::TransferFailed => "transfer_failed",
        }
    }
}

/// How a request that could have been split was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairOutcome {
    /// It has not come so far.
    Underway,
    /// Prefill handed over, decode answers.
    Split,
    /// The answer was over with its first token: the prefill engine's answer is the caller's.
    Finished,
    /// Served whole by one engine, or not at all, for this reason.
    SinglePhase(PairFault),
}

/// The story of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairReport {
    /// How it ended.
    pub outcome: PairOutcome,
    /// The endpoints tried last as a pair, prefill first, and what they hand over by; `None` where none was tried.
    pub legs: Option<(Arc<str>, Arc<str>, Connector)>,
    /// Pairs tried.
    pub tried: u32,
    /// From sending the last prefill leg to the end of its answer, where it came.
    pub prefill_took: Option<Duration>,
    /// From sending the last decode leg to its first byte, where it came.
    pub decode_took: Option<Duration>,
}

impl Default for PairReport {
    fn default() -> Self {
        Self {
            outcome: PairOutcome::Underway,
            legs: None,
            tried: 0,
            prefill_took: None,
            decode_took: None,
        }
    }
}

impl PairReport {
    /// Why one engine alone serves it, where one does.
    #[must_use]
    pub fn fault(&self) -> Option<PairFault> {
        match self.outcome {
            PairOutcome::SinglePhase(fault) => Some(fault),
            _ => None,
        }
    }

    /// In one word how it was served: `underway`, `split`, `finished` or `single_phase`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.outcome {
            PairOutcome::Underway => "underway",
            PairOutcome::Split => "split",
            PairOutcome::Finished => "finished",
            PairOutcome::SinglePhase(_) => "single_phase",
        }
    }
}

/// `split`, `finished` or `single_phase; reason=...`, and in the alternate form (`{:#}`) with `pair=P>D; connector=...`
/// behind it where a pair was tried.
impl fmt::Display for PairReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(fault) = self.fault() {
            write!(f, "; reason={}", fault.name())?;
        }
        match &self.legs {
            Some((prefill, decode, connector)) if f.alternate() => {
                write!(
                    f,
                    "; pair={prefill}>{decode}; connector={}",
                    connector.name()
                )
            }
            _ => Ok(()),
        }
    }
}

/// What is owed to an engine whose half of a pair is not wanted any more, and how it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cleanup {
    /// The prefill leg was ended at once.
    PrefillCancelled,
    /// The decode leg was ended at once, because its partner failed: nothing comes over any more.
    DecodeCancelled,
    /// The decode leg was kept until its first token, and ended then.
    DecodeAwaited,
    /// The decode leg's first token did not come within the grace; it was ended without.
    DecodeCutOff,
    /// What was handed over was never fetched. Nobody can tell the engine that holds it: its lease must run out.
    LeftToLease,
    /// An engine that does not see that its caller has left was told so.
    Stopped,
    /// It could not be told, and goes on for nobody.
    StopFailed,
    /// So many legs of callers who left are still kept that there was no room for another: it was ended at once.
    NoRoom,
}

impl Cleanup {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::PrefillCancelled,
        Self::DecodeCancelled,
        Self::DecodeAwaited,
        Self::DecodeCutOff,
        Self::LeftToLease,
        Self::Stopped,
        Self::StopFailed,
        Self::NoRoom,
    ];

    /// The name used in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PrefillCancelled => "prefill_cancelled",
            Self::DecodeCancelled => "decode_cancelled",
            Self::DecodeAwaited => "decode_awaited",
            Self::DecodeCutOff => "decode_cut_off",
            Self::LeftToLease => "left_to_lease",
            Self::Stopped => "stopped",
            Self::StopFailed => "stop_failed",
            Self::NoRoom => "no_room",
        }
    }
}

/// A leg that nobody wanted any more, told when it is dealt with; that may be after its request's own report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanupReport {
    /// The request's id.
    pub request_id: Arc<str>,
    /// The endpoint that the leg was sent to.
    pub endpoint: Arc<str>,
    /// How it was dealt with.
    pub cleanup: Cleanup,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_told_with_names_only_where_asked() {
        let mut report = PairReport {
            outcome: PairOutcome::Split,
            legs: Some(("p".into(), "d".into(), Connector::Nixl)),
            ..PairReport::default()
        };
        assert_eq!(report.to_string(), "split");
        assert_eq!(format!("{report:#}"), "split; pair=p>d; connector=nixl");
        report.outcome = PairOutcome::SinglePhase(PairFault::DecodeTimeout);
        assert_eq!(report.to_string(), "single_phase; reason=decode_timeout");
        report.legs = None;
        assert_eq!(format!("{report:#}"), "single_phase; reason=decode_timeout");
    }
}
