//! A client's script: how it is run, and what it says.

use std::process::{Command, Stdio};

use crate::rig::{KEY, MODEL, Rig};

/// What a script wrote about itself: `version: 1.2.3` once, and `did: WHAT` after each thing that went well.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) version: String,
    pub(crate) did: Vec<String>,
}

/// Runs a script against `rig`.
///
/// # Panics
/// Where it fails, with what it wrote.
pub(crate) fn run(command: &mut Command, rig: &Rig) -> Told {
    let said = said(
        command
            .env("GATEWAY_URL", rig.gateway.url())
            .env("GATEWAY_KEY", KEY)
            .env("GATEWAY_MODEL", MODEL),
    );
    let lines = |prefix: &str| -> Vec<String> {
        let found = said.lines().filter_map(|line| line.strip_prefix(prefix));
        found.map(str::to_owned).collect()
    };
    let version = lines("version: ").pop().expect("scripts say their version");
    Told {
        version,
        did: lines("did: "),
    }
}

/// What a command writes to its standard output.
///
/// # Panics
/// Where it fails, with all it wrote.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complaint) = (text(&output.stdout), text(&output.stderr));
    let status = output.status;
    assert!(
        status.success(),
        "{command:?}: {status}\n{said}\n{complaint}"
    );
    said
}
