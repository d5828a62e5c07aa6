//! `docs/compatibility.md`.

use std::{fs, path::Path};

use crate::{rig::Rig, script::Told};

const FRAME: &str = include_str!("compatibility.md");
/// Where the rows go.
const ROWS: &str = "{rows}\n";

/// What came of one client.
#[derive(Debug)]
pub(crate) struct Row {
    client: &'static str,
    version: String,
    requests: Vec<String>,
    did: Vec<String>,
}

impl Row {
    /// The row of a client that was served, with the requests that `rig` counted.
    pub(crate) fn new(client: &'static str, told: Told, rig: &Rig) -> Self {
        let answered = rig.gateway.answered().into_iter();
        let requests = answered.map(|((api, status), count)| match status {
            200 => format!("{api}: {count}"),
            _ => format!("{api}, refused with {status}: {count}"),
        });
        assert!(!told.did.is_empty(), "{client} did nothing");
        Self {
            client,
            version: told.version,
            requests: requests.collect(),
            did: told.did,
        }
    }

    fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} | passes |\n",
            self.client,
            self.version,
            self.requests.join(", "),
            self.did.join("; ")
        )
    }
}

/// Panics unless the page has this row.
pub(crate) fn check(row: &Row) {
    let (line, page) = (row.line(), page());
    assert!(
        page.contains(&line),
        "docs/compatibility.md is out of date; it should have\n{line}"
    );
}

/// Panics unless the page is its frame around so many rows.
pub(crate) fn check_frame(rows: usize) {
    let (before, after) = FRAME.split_once(ROWS).expect("a place for the rows");
    let page = page();
    let inner = page
        .strip_prefix(before)
        .and_then(|page| page.strip_suffix(after));
    let lines = inner.map(|inner| inner.lines().count());
    assert_eq!(lines, Some(rows), "docs/compatibility.md is out of date");
}

/// Writes the page.
pub(crate) fn write(rows: &[Row]) {
    let lines: String = rows.iter().map(Row::line).collect();
    fs::write(path(), FRAME.replace(ROWS, &lines)).expect("the page is written");
}

fn page() -> String {
    fs::read_to_string(path()).unwrap_or_default()
}

fn path() -> impl AsRef<Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md")
}
