//! vLLM's `MooncakeConnector`. Source: vLLM 0.33, `distributed/kv_transfer/kv_connector/v1/mooncake`.
//!
//! Both legs are sent at once and find each other by a transfer id of the router's making. The decode leg also names the
//! prefill engine, whose id only its bootstrap port tells.

use std::{borrow::Cow, collections::BTreeMap, net::Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::LegEdit;

const PARAMS: &str = "kv_transfer_params";

/// The port on which a prefill engine says who it is, where nobody configured another.
pub const BOOTSTRAP_PORT: u16 = 8998;

/// The path on that port.
pub const QUERY: &str = "/query";

/// The engine of one data-parallel rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The engine's id.
    pub engine_id: String,
    /// Its rank, where the server has several: the prefill leg must go there.
    pub rank: Option<u32>,
}

/// Reads a bootstrap port's answer: the engine of `rank`, or where any will do one that `transfer` picks, so that each gets
/// its share. `None` where the answer names no such engine.
#[must_use]
pub fn peer(answer: &[u8], rank: Option<u32>, transfer: u64) -> Option<Peer> {
    #[derive(Deserialize)]
    struct Rank {
        engine_id: String,
    }
    let mut ranks: BTreeMap<u32, Rank> = serde_json::from_slice(answer).ok()?;
    let count = ranks.len() as u64;
    let rank = match rank {
        Some(rank) => rank,
        None => {
            let at = transfer.checked_rem(count)?;
            *ranks.keys().nth(usize::try_from(at).ok()?)?
        }
    };
    let told = ranks.remove(&rank)?;
    Some(Peer {
        engine_id: told.engine_id,
        rank: (count > 1).then_some(rank),
    })
}

#[derive(Serialize)]
struct Params<'a> {
    do_remote_decode: bool,
    do_remote_prefill: bool,
    transfer_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_bootstrap_addr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_engine_id: Option<&'a str>,
}

/// The prefill leg.
#[must_use]
pub fn prefill(transfer_id: &str, peer: &Peer) -> LegEdit {
    let params = Params {
        do_remote_decode: true,
        do_remote_prefill: false,
        transfer_id,
        remote_bootstrap_addr: None,
        remote_engine_id: None,
    };
    let edit = LegEdit::default().whole().one_token().set(PARAMS, &params);
    match peer.rank {
        Some(rank) => edit.header("x-data-parallel-rank", rank.to_string()),
        None => edit,
    }
}

/// The decode leg; `host` and `port` are the prefill engine's bootstrap address.
#[must_use]
pub fn decode(transfer_id: &str, peer: &Peer, host: &str, port: u16) -> LegEdit {
    // Within an address of the web one of IPv6 stands in brackets.
    let host = match host.parse::<Ipv6Addr>() {
        Ok(_) => Cow::Owned(format!("[{host}]")),
        Err(_) => Cow::Borrowed(host),
    };
    let params = Params {
        do_remote_decode: false,
        do_remote_prefill: true,
        transfer_id,
        remote_bootstrap_addr: Some(format!("http://{host}:{port}")),
        remote_engine_id: Some(&peer.engine_id),
    };
    LegEdit::default().set(PARAMS, &params)
}
