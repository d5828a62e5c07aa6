//! Events kept for callers who come back.

use std::collections::VecDeque;

/// The latest events of one response, within a bound of bytes.
///
/// It serves `GET /v1/responses/{id}?stream=true&starting_after=n`. Events past the bound push out the oldest ones,
/// which are counted.
#[derive(Debug)]
pub struct EventLog {
    lines: VecDeque<Box<[u8]>>,
    held_bytes: usize,
    limit_bytes: usize,
    dropped: u64,
}

impl EventLog {
    /// A log that holds at most `limit_bytes` of events.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            held_bytes: 0,
            limit_bytes,
            dropped: 0,
        }
    }

    /// Takes in what a stream with [`Framing::Lines`](super::Framing::Lines) wrote, whole lines from the first one on.
    pub fn push(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            self.held_bytes += line.len();
            self.lines.push_back(line.into());
        }
        while self.held_bytes > self.limit_bytes {
            let Some(line) = self.lines.pop_front() else {
                break;
            };
            self.held_bytes -= line.len();
            self.dropped += 1;
        }
    }

    /// The events with numbers above `sequence`, all of them without one, each a line of JSON; `None` where some of
    /// them are no longer held.
    pub fn after(&self, sequence: Option<u64>) -> Option<impl Iterator<Item = &[u8]>> {
        let first = sequence.map_or(0, |sequence| sequence.saturating_add(1));
        let skipped = first.checked_sub(self.dropped)?;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        Some(self.lines.iter().skip(skipped).map(|line| &**line))
    }

    /// The number of the next event.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// How many events were pushed out.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(log: &EventLog, after: Option<u64>) -> Option<Vec<&[u8]>> {
        log.after(after).map(Iterator::collect)
    }

    #[test]
    fn replays_start_behind_a_number() {
        let mut log = EventLog::new(100);
        log.push(b"{0}\n{1}\n");
        log.push(b"{2}\n");
        let all: [&[u8]; 3] = [b"{0}", b"{1}", b"{2}"];
        assert_eq!(told(&log, None).expect("all held"), all);
        assert_eq!(told(&log, Some(0)).expect("all held"), all[1..]);
        assert_eq!(told(&log, Some(9)).expect("all held"), all[3..]);
        assert_eq!(log.next_sequence(), 3);
    }

    #[test]
    fn what_was_pushed_out_is_not_passed_over_in_silence() {
        let mut log = EventLog::new(6);
        log.push(b"{0}\n{1}\n{2}\n");
        assert_eq!(log.dropped(), 1);
        assert_eq!(told(&log, None), None);
        assert_eq!(told(&log, Some(0)).expect("the rest").len(), 2);
        assert_eq!(told(&log, Some(u64::MAX)).expect("nothing").len(), 0);
    }
}
