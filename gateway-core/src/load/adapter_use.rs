//! The LoRA adapters that an engine computes for, as it said itself.

/// One reading of whose requests an engine runs and holds back. Names that are kept are bounded by whoever reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterUse {
    /// Different adapters that its batch has places for (vLLM: `--max-loras`).
    pub slots: Option<u32>,
    /// Adapters of requests in its batch, each once.
    pub running: Vec<String>,
    /// Adapters of requests in its queue, each once; some may run as well.
    pub waiting: Vec<String>,
}

impl AdapterUse {
    /// Whether requests for `name` are in the batch.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.running.iter().any(|running| running == name)
    }

    /// Whether a request for `name` would have to wait until another adapter's requests have ended: it does not run, and
    /// the others that do, or are first in the queue, take all places.
    #[must_use]
    pub fn is_full_for(&self, name: &str) -> bool {
        let Some(slots) = self.slots else {
            return false;
        };
        let queued = self.waiting.iter();
        let ahead = queued.filter(|waiting| *waiting != name && !self.runs(waiting));
        !self.runs(name) && self.running.len() + ahead.count() >= slots as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn others_that_run_or_wait_take_places_and_its_own_requests_do_not() {
        let full = |slots, running: &[&str], waiting: &[&str], name| {
            let (running, waiting) = (names(running), names(waiting));
            AdapterUse {
                slots,
                running,
                waiting,
            }
            .is_full_for(name)
        };
        assert!(!full(Some(2), &["law"], &[], "sql"));
        assert!(full(Some(2), &["law", "chess"], &[], "sql"));
        assert!(
            !full(Some(2), &["law", "sql"], &["chess"], "sql"),
            "it runs"
        );
        assert!(full(Some(2), &["law"], &["chess"], "sql"), "chess is next");
        assert!(!full(Some(2), &["law"], &["law", "sql"], "sql"));
        assert!(full(Some(1), &["law"], &["sql"], "sql"), "it waits already");
        assert!(!full(None, &["law", "chess"], &[], "sql"), "who knows");
    }
}
