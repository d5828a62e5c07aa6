//! Numbers and lists of the sampling.

use std::ops::RangeInclusive;

use super::{CheckError, Limits, prompt::known};
use crate::ir::{Request, Sampling};

pub(super) fn check(request: &Request, limits: &Limits) -> Result<(), CheckError> {
    let sampling = &request.sampling;
    scales(sampling)?;
    counts(request, limits)?;
    stops(request, limits)?;
    bias(sampling, limits)
}

fn scales(sampling: &Sampling) -> Result<(), CheckError> {
    let above = f64::MIN_POSITIVE..=f64::MAX;
    for (path, value, range) in [
        ("temperature", sampling.temperature, 0.0..=2.0),
        ("top_p", sampling.top_p, f64::MIN_POSITIVE..=1.0),
        ("min_p", sampling.min_p, 0.0..=1.0),
        ("repetition_penalty", sampling.repetition_penalty, above),
        ("presence_penalty", sampling.presence_penalty, -2.0..=2.0),
        ("frequency_penalty", sampling.frequency_penalty, -2.0..=2.0),
    ] {
        // A number that is none lies in no range.
        if value.is_some_and(|value| !range.contains(&value)) {
            return Err(out_of_range(path, &range));
        }
    }
    Ok(())
}

fn out_of_range(path: &str, range: &RangeInclusive<f64>) -> CheckError {
    let (start, end) = (*range.start(), *range.end());
    let todo = if end == f64::MAX {
        "Send a number above 0".to_owned()
    } else if start == f64::MIN_POSITIVE {
        format!("Send a number above 0 and at most {end}")
    } else {
        format!("Send a number from {start} to {end}")
    };
    CheckError::new(path, "it is out of range", todo)
}

fn counts(request: &Request, limits: &Limits) -> Result<(), CheckError> {
    let sampling = &request.sampling;
    let refuse = |path: &str, todo: String| Err(CheckError::new(path, "it is out of range", todo));
    if sampling.n.is_some_and(|n| n == 0 || n > limits.n) {
        return refuse("n", format!("Send a number from 1 to {}", limits.n));
    }
    // An echo of the prompt alone is a use of its own.
    if sampling.max_tokens == Some(0) && !request.echo {
        return refuse("max_tokens", "Send at least 1".to_owned());
    }
    let (fewest, most) = (sampling.min_tokens, sampling.max_tokens);
    if let (Some(fewest), Some(most)) = (fewest, most)
        && fewest > most
    {
        return refuse("min_tokens", format!("Send at most 'max_tokens', {most}"));
    }
    if sampling.top_k.is_some_and(|top_k| top_k < -1) {
        return refuse("top_k", "Send at least 1, or -1 for no bound".to_owned());
    }
    let most = limits.top_logprobs;
    if request.logprobs.is_some_and(|asked| asked.top > most) {
        return refuse("top_logprobs", format!("Send a number from 0 to {most}"));
    }
    Ok(())
}

fn stops(request: &Request, limits: &Limits) -> Result<(), CheckError> {
    let (stops, ids) = (&request.stops, &request.sampling.stop_token_ids);
    for (path, found) in [("stop", stops.len()), ("stop_token_ids", ids.len())] {
        if found > limits.stops {
            return Err(CheckError::too_many(path, found, limits.stops));
        }
    }
    for (at, stop) in stops.iter().enumerate() {
        let path = || format!("stop[{at}]");
        if stop.is_empty() {
            let todo = "Leave it out";
            return Err(CheckError::new(
                path(),
                "every text holds the empty one",
                todo,
            ));
        }
        if stop.len() > limits.stop_bytes {
            return Err(CheckError::too_long(path(), stop.len(), limits.stop_bytes));
        }
    }
    let path = |at| format!("stop_token_ids[{at}]");
    known(path, ids.iter().copied(), limits)
}

fn bias(sampling: &Sampling, limits: &Limits) -> Result<(), CheckError> {
    const PATH: &str = "logit_bias";
    let pairs = &sampling.logit_bias;
    if pairs.len() > limits.logit_bias {
        return Err(CheckError::too_many(PATH, pairs.len(), limits.logit_bias));
    }
    if pairs
        .iter()
        .any(|(_, bias)| !(-100.0..=100.0).contains(bias))
    {
        return Err(out_of_range(PATH, &(-100.0..=100.0)));
    }
    known(|_| PATH.to_owned(), pairs.iter().map(|(id, _)| *id), limits)
}
