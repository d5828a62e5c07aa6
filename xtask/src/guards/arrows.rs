//! Which workspace crate may depend on which.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::verdict;
use crate::cmd;

/// A crate, what it may use, and what only its tests may use besides.
struct Arrow {
    from: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const CORE: &str = "gateway-core";
const PROTO: &str = "gateway-proto";
const ROUTER: &str = "gateway-router";
const GOVERN: &str = "gateway-govern";
const SIM: &str = "gateway-sim";
const BIN: &str = "gateway-bin";

const ARROWS: [Arrow; 6] = [
    Arrow {
        from: CORE,
        uses: &[],
        tests_use: &[],
    },
    Arrow {
        from: PROTO,
        uses: &[CORE],
        tests_use: &[],
    },
    Arrow {
        from: ROUTER,
        uses: &[CORE, PROTO],
        tests_use: &[SIM],
    },
    Arrow {
        from: GOVERN,
        uses: &[CORE, PROTO, ROUTER],
        tests_use: &[SIM],
    },
    Arrow {
        from: SIM,
        uses: &[CORE, PROTO],
        tests_use: &[],
    },
    Arrow {
        from: BIN,
        uses: &[CORE, PROTO, ROUTER, GOVERN, SIM],
        tests_use: &[],
    },
];

/// Reads every manifest and compares it with [`ARROWS`]; nothing may depend on the binary.
pub(super) fn check(root: &Path) -> Result<String> {
    let metadata = cmd::metadata(root)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let mut crossings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let arrow = ARROWS.iter().find(|arrow| arrow.from == name);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            crossings.extend(crossing(name, arrow, dependency));
        }
    }
    for arrow in &ARROWS {
        if !packages.iter().any(|package| package["name"] == arrow.from) {
            crossings.push(format!("{} is not in the workspace", arrow.from));
        }
    }
    verdict(&crossings, format!("{} crates", packages.len()))
}

fn crossing(name: &str, arrow: Option<&Arrow>, dependency: &Value) -> Option<String> {
    let to = dependency["name"].as_str().unwrap_or_default();
    if to == BIN {
        return Some(format!("{name} depends on {BIN}; nothing may"));
    }
    // Examples, benches and chores stand outside the arrows: they may use every library.
    let arrow = arrow?;
    if !ARROWS.iter().any(|known| known.from == to) || arrow.uses.contains(&to) {
        return None;
    }
    let tests_only = dependency["kind"] == "dev";
    if tests_only && arrow.tests_use.contains(&to) {
        return None;
    }
    let whose = if tests_only { "the tests of " } else { "" };
    Some(format!("{whose}{name} must not depend on {to}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(from: &str, to: &str, kind: &Value) -> Option<String> {
        let arrow = ARROWS.iter().find(|arrow| arrow.from == from);
        crossing(from, arrow, &json!({ "name": to, "kind": kind }))
    }

    #[test]
    fn an_arrow_back_is_found() {
        assert!(judge(CORE, PROTO, &Value::Null).is_some());
        assert!(judge(SIM, ROUTER, &Value::Null).is_some());
        assert!(judge("custom-scorer", BIN, &json!("dev")).is_some());
    }

    #[test]
    fn only_tests_may_use_the_simulator() {
        assert!(judge(ROUTER, SIM, &Value::Null).is_some());
        assert_eq!(judge(ROUTER, SIM, &json!("dev")), None);
        assert_eq!(judge(ROUTER, "tokio", &Value::Null), None);
    }
}
