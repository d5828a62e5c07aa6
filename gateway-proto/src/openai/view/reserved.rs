//! What the router alone says to engines. A caller's word would make an engine fetch from any host, hold KV blocks that
//! nobody fetches, or answer from a replica that was not chosen.

use super::{
    JsonKind, RequestError,
    scanner::{Scanner, decode_string},
};

/// Members of the top level (vLLM, SGLang, TensorRT-LLM).
const MEMBERS: [&str; 11] = [
    "kv_transfer_params",
    "ec_transfer_params",
    "bootstrap_host",
    "bootstrap_port",
    "bootstrap_room",
    "bootstrap_pair_key",
    "decode_tp_size",
    "disaggregated_params",
    "disagg_prefill_dp_rank",
    "routed_dp_rank",
    "data_parallel_rank",
];

/// The reserved member with this name.
pub(super) fn member(name: &str) -> Option<&'static str> {
    MEMBERS.into_iter().find(|member| *member == name)
}

/// Passes over the value of a reserved member.
///
/// # Errors
/// [`RequestError::Reserved`] unless it is `null`, which is as good as absent.
pub(super) fn refuse(key: &'static str, s: &mut Scanner<'_>) -> Result<(), RequestError> {
    match s.kind()? {
        JsonKind::Null => s.literal("null"),
        _ => Err(RequestError::Reserved { key }),
    }
}

/// Passes over `extra_args` of vLLM's sampling parameters, where the same members count as at the top.
pub(super) fn extra_args(s: &mut Scanner<'_>) -> Result<(), RequestError> {
    if s.kind()? != JsonKind::Object {
        return s.skip().map(drop);
    }
    s.enter()?;
    let mut first = true;
    while let Some(span) = s.next_key(first)? {
        first = false;
        match decode_string(s.slice(span)).and_then(|name| member(&name)) {
            Some(key) => refuse(key, s)?,
            None => drop(s.skip()?),
        }
    }
    Ok(())
}
