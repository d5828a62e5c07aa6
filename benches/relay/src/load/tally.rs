//! Counts of what came back.

use super::ReplyFault;

/// Requests answered well and badly.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Right, whole, in order and ended.
    pub(crate) good: u64,
    /// Everything else.
    pub(crate) bad: u64,
    /// The first bad reply, for the report.
    pub(crate) first_fault: Option<ReplyFault>,
}

impl Tally {
    /// Counts one request and hands on what it gave.
    pub(crate) fn count<T>(&mut self, result: Result<T, ReplyFault>) -> Option<T> {
        match result {
            Ok(value) => {
                self.good += 1;
                Some(value)
            }
            Err(fault) => {
                self.bad += 1;
                self.first_fault.get_or_insert(fault);
                None
            }
        }
    }

    /// Adds another count to this one.
    pub(crate) fn add(&mut self, other: Self) {
        self.good += other.good;
        self.bad += other.bad;
        if self.first_fault.is_none() {
            self.first_fault = other.first_fault;
        }
    }
}
