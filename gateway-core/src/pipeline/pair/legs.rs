//! What the halves of a pair must meet whatever the pipeline says.

use std::fmt;

use crate::{Endpoint, KvMismatch, Role, RouteCx, Stage, plugin::Candidate};

use super::super::{Explanation, FilteredOut};

/// Rules out who cannot be half of a pair: by the prompt's length, and beside a decode engine by what the two would have
/// to agree on. Halves that are to serve a request whole make way for those that are meant for its length, where there are
/// any. Gives who ruled out how many.
pub(in crate::pipeline) fn keep_legs(
    cx: &RouteCx<'_>,
    candidates: &mut Vec<Candidate<'_>>,
    mut record: Option<&mut Explanation>,
) -> Vec<(String, u32)> {
    let mut counts = Vec::new();
    let rules: &[(&str, Rule)] = match cx.stage {
        Stage::Unified if is_out_of_place(cx, candidates) => &[(RANGE, range_of_half)],
        Stage::Unified => return counts,
        _ => &[(RANGE, range), (PARTNER, partner)],
    };
    for &(name, rule) in rules {
        let before = candidates.len();
        candidates.retain(|candidate| {
            let why = rule(cx, candidate.endpoint);
            if let (Some(why), Some(record)) = (&why, record.as_deref_mut()) {
                let by = format!("{name}: {why}");
                record.filtered.push(FilteredOut::of(candidate, &by));
            }
            why.is_none()
        });
        if candidates.len() < before {
            let count = u32::try_from(before - candidates.len()).unwrap_or(u32::MAX);
            counts.push((name.to_owned(), count));
        }
    }
    counts
}

const RANGE: &str = "prompt-range";
const PARTNER: &str = "pair";

/// Why an endpoint cannot be half of a pair; put into words only where somebody asks.
enum Why {
    Length(u32, u32),
    Itself,
    Mismatch(KvMismatch, String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(least, most) => write!(f, "{least} to {most}"),
            Self::Itself => f.write_str("it decodes itself"),
            Self::Mismatch(mismatch, decode) => write!(f, "{mismatch} of {decode}"),
        }
    }
}

type Rule = fn(&RouteCx<'_>, &Endpoint) -> Option<Why>;

/// The prompt's length is one that the endpoint is meant for. An unknown length rules nobody out.
fn range(cx: &RouteCx<'_>, endpoint: &Endpoint) -> Option<Why> {
    let (least, most) = endpoint.spec().prompt_range?;
    let is_out = cx.prompt_tokens > 0 && !(least..=most).contains(&cx.prompt_tokens);
    is_out.then_some(Why::Length(least, most))
}

/// Of a request that is served whole, as `range`, of those that are halves of pairs.
fn range_of_half(cx: &RouteCx<'_>, endpoint: &Endpoint) -> Option<Why> {
    let is_half = endpoint.spec().role != Role::Unified;
    is_half.then(|| range(cx, endpoint)).flatten()
}

/// Whether some of those who could serve a request whole are halves that are not meant for its length, and others are there.
fn is_out_of_place(cx: &RouteCx<'_>, candidates: &[Candidate<'_>]) -> bool {
    let is_out = |candidate: &Candidate<'_>| range_of_half(cx, candidate.endpoint).is_some();
    candidates.iter().any(is_out) && !candidates.iter().all(is_out)
}

/// The decode engine is another one, and can take over what this one computes.
fn partner(cx: &RouteCx<'_>, endpoint: &Endpoint) -> Option<Why> {
    let decode = cx.partner?;
    if decode.id() == endpoint.id() {
        return Some(Why::Itself);
    }
    let mismatch = endpoint.spec().kv.mismatch(&decode.spec().kv)?;
    Some(Why::Mismatch(mismatch, decode.name().to_owned()))
}
