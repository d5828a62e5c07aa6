//! The process itself: memory, from the kernel's own page.

use std::fs;

use super::text::Page;

/// Bytes of a page on every Linux this runs on that does not say otherwise.
const PAGE_BYTES: u64 = 4_096;

pub(super) fn write(page: &mut Page) {
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
