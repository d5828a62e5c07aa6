//! What became of a second engine.

use std::{fmt, sync::Arc, time::Duration};

/// Who served a request whose engine was silent for long enough to ask another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeOutcome {
    /// It was not told: the caller left first.
    Underway,
    /// The first engine after all.
    First,
    /// The second engine.
    Second,
    /// Neither.
    Neither,
    /// No second one was asked: the budget was used up.
    Budget,
    /// No second one was asked: nobody had room for it.
    Nobody,
}

impl HedgeOutcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Underway,
        Self::First,
        Self::Second,
        Self::Neither,
        Self::Budget,
        Self::Nobody,
    ];

    /// The name used in metrics, logs and headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Underway => "underway",
            Self::First => "first",
            Self::Second => "second",
            Self::Neither => "neither",
            Self::Budget => "budget",
            Self::Nobody => "nobody",
        }
    }
}

/// The story of a second engine. `{}` leaves names out, `{:#}` tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HedgeReport {
    /// How it ended.
    pub outcome: HedgeOutcome,
    /// How long the first engine had been silent.
    pub after: Duration,
    /// The endpoints, the first one first; no second where none was asked.
    pub endpoints: (Arc<str>, Option<Arc<str>>),
}

impl fmt::Display for HedgeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; after_ms={}",
            self.outcome.name(),
            self.after.as_millis()
        )?;
        if f.alternate() {
            let (first, second) = &self.endpoints;
            write!(f, "; first={first}")?;
            if let Some(second) = second {
                write!(f, "; second={second}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_only_where_asked_for() {
        let mut report = HedgeReport {
            outcome: HedgeOutcome::Second,
            after: Duration::from_millis(800),
            endpoints: ("a".into(), Some("b".into())),
        };
        assert_eq!(report.to_string(), "second; after_ms=800");
        assert_eq!(
            format!("{report:#}"),
            "second; after_ms=800; first=a; second=b"
        );
        report.outcome = HedgeOutcome::Budget;
        report.endpoints.1 = None;
        assert_eq!(format!("{report:#}"), "budget; after_ms=800; first=a");
    }
}
