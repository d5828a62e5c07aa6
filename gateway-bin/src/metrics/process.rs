//! The process itself: its log, and its memory from the kernel's own page.

use std::fs;

use super::text::Page;
use crate::log::LostLines;

/// Bytes of a page on every Linux this runs on that does not say otherwise.
const PAGE_BYTES: u64 = 4_096;

pub(super) fn write(page: &mut Page, lost_lines: &LostLines) {
    let name = "gateway_log_lines_dropped_total";
    let help = "Log lines that were dropped because their reader was too slow.";
    page.family(name, "counter", help);
    page.sample(name, &[], lost_lines.count());
    let Some(resident) = resident_bytes() else {
        return;
    };
    let name = "process_resident_memory_bytes";
    page.family(name, "gauge", "Resident memory of the process.");
    page.sample(name, &[], resident);
}

/// `None` where there is no `/proc`.
fn resident_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
