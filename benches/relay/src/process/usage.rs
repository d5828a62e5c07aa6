//! CPU time and memory of a process tree, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One reading of a process tree.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// CPU time so far.
    pub(crate) cpu: Cpu,
    /// Resident memory, in bytes, summed over the processes: pages that they share count more than
    /// once.
    pub(crate) resident_bytes: u64,
}

/// CPU time of a process tree. Thread run times (`schedstat`) count nanoseconds but forget threads
/// that end; process times (`stat`) remember them but tick in hundredths of a second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cpu {
    nanos_by_thread: HashMap<u32, u64>,
    by_ticks: Duration,
}

impl Usage {
    /// Reads the tree of `pids`; what has ended in the meantime counts nothing.
    pub(crate) fn read(pids: &[u32]) -> Self {
        let mut usage = Self {
            cpu: Cpu::default(),
            resident_bytes: 0,
        };
        for &pid in pids {
            usage.cpu.by_ticks += process_time(pid).unwrap_or_default();
            usage.cpu.nanos_by_thread.extend(thread_times(pid));
            usage.resident_bytes += resident_bytes(pid).unwrap_or_default();
        }
        usage
    }
}

impl Cpu {
    /// CPU time spent since `earlier`: by the nanosecond when every thread of then is still there.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let mut nanos: u64 = self.nanos_by_thread.values().sum();
        for (thread, then) in &earlier.nanos_by_thread {
            if !self.nanos_by_thread.contains_key(thread) {
                return self.by_ticks.saturating_sub(earlier.by_ticks);
            }
            nanos = nanos.saturating_sub(*then);
        }
        Duration::from_nanos(nanos)
    }
}

/// `root` and its descendants.
pub(super) fn tree(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = numbered("/proc")
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        tree.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == pid)
                .map(|(child, _)| *child),
        );
        next += 1;
    }
    tree
}

fn numbered(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn thread_times(pid: u32) -> impl Iterator<Item = (u32, u64)> {
    numbered(&format!("/proc/{pid}/task")).filter_map(move |thread| {
        let times = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).ok()?;
        Some((thread, times.split_whitespace().next()?.parse().ok()?))
    })
}

/// The fields of `/proc/PID/stat` from the state on; the name before them may hold spaces.
fn stat_fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat_fields(pid)?.get(1)?.parse().ok()
}

/// When the process started, in clock ticks since boot; `None` once it is gone, a zombie included.
pub(super) fn started_ticks(pid: u32) -> Option<u64> {
    let fields = stat_fields(pid)?;
    (fields.first()? != "Z").then_some(())?;
    fields.get(19)?.parse().ok()
}

fn process_time(pid: u32) -> Option<Duration> {
    let fields = stat_fields(pid)?;
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let millis = (ticks(11)? + ticks(12)?) * 1_000 / rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(millis))
}

fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let pid = std::process::id();
        let before = Usage::read(&[pid]);
        assert!(before.resident_bytes > 100_000);
        // Work until it shows, however coarse the kernel counts.
        while Usage::read(&[pid]).cpu.since(&before.cpu) == Duration::ZERO {}
    }

    #[test]
    fn a_thread_that_ended_makes_the_ticks_count() {
        let cpu = |threads: &[(u32, u64)], millis| Cpu {
            nanos_by_thread: threads.iter().copied().collect(),
            by_ticks: Duration::from_millis(millis),
        };
        let before = cpu(&[(1, 100), (2, 50)], 10);
        assert_eq!(
            cpu(&[(1, 160), (2, 50), (3, 5)], 40).since(&before),
            Duration::from_nanos(65)
        );
        assert_eq!(
            cpu(&[(1, 160)], 40).since(&before),
            Duration::from_millis(30)
        );
    }

    #[test]
    fn a_tree_holds_its_root_and_nobody_unrelated() {
        assert!(tree(std::process::id()).contains(&std::process::id()));
        assert_eq!(tree(u32::MAX), [u32::MAX]);
    }
}
