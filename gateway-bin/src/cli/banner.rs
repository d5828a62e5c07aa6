//! What a person reads when the gateway has started.

use std::{io::IsTerminal as _, net::SocketAddr};

use super::out;
use crate::Running;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// Says where the gateway listens, what is behind it, and how to try it. `key` is shown where it was made just now or
/// belongs to a demonstration.
pub(super) fn print(running: &Running, key: Option<&str>) {
    let terminal = std::io::stdout().is_terminal();
    let ink = |code: &'static str| if terminal { code } else { "" };
    let (bold, dim, green, plain) = (ink(BOLD), ink(DIM), ink(GREEN), ink(PLAIN));
    let address = running.addr();
    out::line(format_args!(
        "{bold}gateway{plain} listens on {green}http://{address}{plain}"
    ));
    let fleet = running.router().fleet();
    for endpoint in fleet.endpoints() {
        let spec = endpoint.spec();
        let models = if spec.models.is_empty() {
            "not asked yet".to_owned()
        } else {
            spec.models.join(", ")
        };
        let labels: Vec<_> = spec
            .labels
            .iter()
            .map(|(label, value)| format!("{label}={value}"))
            .collect();
        out::line(format_args!(
            "  {bold}{}{plain}  {models}  {dim}{}{plain}",
            spec.name,
            labels.join(" ")
        ));
    }
    if let Some(key) = key {
        let models = fleet.models();
        let model = models.first().map_or("MODEL", String::as_str);
        out::line(format_args!(
            "  {dim}key{plain} {key}\n\n{}\n",
            curl(address, key, model)
        ));
    }
}

/// A command that can be pasted.
fn curl(address: SocketAddr, key: &str, model: &str) -> String {
    format!(
        "curl http://{}/v1/chat/completions \\\n  -H 'authorization: Bearer {key}' -H 'content-type: application/json' \\\n  \
         -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'",
        reachable(address)
    )
}

/// An address that listens everywhere is reached on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            ([0, 0, 0, 0, 0, 0, 0, 1], v6.port()).into()
        }
        other => other,
    }
}
