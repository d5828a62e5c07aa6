//! The figures of one scenario.

use super::figures::{Comparison, Policy, Set};

/// One scenario, played by all policies.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) set: Set,
    pub(super) comparison: Comparison,
    /// For late telemetry: the same scenario with gauges in time.
    pub(super) in_time: Option<Comparison>,
    /// Engines of more than one kind share a role.
    pub(super) is_mixed: bool,
    /// An engine is slower than its chip.
    pub(super) has_slow_node: bool,
}

impl Sheet {
    pub(super) fn policy(&self, name: &str) -> Option<&Policy> {
        named(&self.comparison, name)
    }
}

/// The policy of that name.
pub(super) fn named<'a>(comparison: &'a Comparison, name: &str) -> Option<&'a Policy> {
    let mut policies = comparison.policies.iter();
    policies.find(|policy| policy.name == name)
}
