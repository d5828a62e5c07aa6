//! The record of a decision, on a reply's headers.

use std::fmt::Display;

use gateway_core::Explanation;
use gateway_router::{HedgeReport, PairReport};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Asks for the record.
pub(super) const ASK: &str = "x-gateway-explain";

const ENDPOINT: HeaderName = HeaderName::from_static("x-gateway-endpoint");
const MODE: HeaderName = HeaderName::from_static("x-gateway-mode");
const PROMPT_TOKENS: HeaderName = HeaderName::from_static("x-gateway-prompt-tokens");
const PAIR: HeaderName = HeaderName::from_static("x-gateway-pair");
const HEDGE: HeaderName = HeaderName::from_static("x-gateway-hedge");
const DECISION: HeaderName = HeaderName::from_static("x-gateway-decision");

/// The longest record, in bytes: common clients and proxies refuse larger header lines.
const BYTES_AT_MOST: usize = 6_000;
/// Candidates and endpoints filtered out that are shown where not all fit; fewer where these do not fit either.
const SHOWN: usize = 8;

/// Adds the endpoint's name and, where it fits, the record as JSON. A record too large is cut to the best candidates.
pub(super) fn add(headers: &mut HeaderMap, endpoint: &str, explanation: Option<&Explanation>) {
    if let Ok(value) = HeaderValue::from_bytes(endpoint.as_bytes()) {
        headers.insert(ENDPOINT, value);
    }
    if let Some(value) = explanation.and_then(record) {
        headers.insert(DECISION, value);
    }
}

/// Adds what became of splitting the request between two engines; their names only for those who may see them.
pub(super) fn add_pair(headers: &mut HeaderMap, pair: Option<&PairReport>, names: bool) {
    add_story(headers, PAIR, pair, names);
}

/// Adds what became of a second engine beside a silent one; their names only for those who may see them.
pub(super) fn add_hedge(headers: &mut HeaderMap, hedge: Option<&HedgeReport>, names: bool) {
    add_story(headers, HEDGE, hedge, names);
}

fn add_story(headers: &mut HeaderMap, name: HeaderName, story: Option<impl Display>, names: bool) {
    let Some(story) = story else { return };
    let said = if names {
        format!("{story:#}")
    } else {
        story.to_string()
    };
    if let Ok(value) = HeaderValue::from_str(&said) {
        headers.insert(name, value);
    }
}

/// Adds whether engines were asked by text or by tokens, and by how many.
pub(super) fn add_mode(headers: &mut HeaderMap, prompt_tokens: Option<u64>) {
    let mode = if prompt_tokens.is_some() {
        "tokens"
    } else {
        "text"
    };
    headers.insert(MODE, HeaderValue::from_static(mode));
    if let Some(count) = prompt_tokens {
        headers.insert(PROMPT_TOKENS, count.into());
    }
}

fn record(explanation: &Explanation) -> Option<HeaderValue> {
    let whole = serde_json::to_vec(explanation).ok()?;
    let mut text = whole;
    let mut shown = SHOWN;
    while text.len() > BYTES_AT_MOST && shown > 0 {
        text = serde_json::to_vec(&cut(explanation, shown)).ok()?;
        shown /= 2;
    }
    // A name may be long and of any script; what does not fit a header is left out.
    (text.len() <= BYTES_AT_MOST)
        .then(|| HeaderValue::from_bytes(&text).ok())
        .flatten()
}

fn cut(explanation: &Explanation, shown: usize) -> Explanation {
    let mut short = explanation.clone();
    short.candidates.sort_by(|a, b| b.total.total_cmp(&a.total));
    short.candidates.truncate(shown);
    short.filtered.truncate(shown);
    short
}

#[cfg(test)]
mod tests {
    use gateway_core::{EndpointSpec, Fleet, Pipeline, Rng, RouteCx, Timestamp};

    use super::*;

    fn explained(endpoints: usize) -> Explanation {
        let specs = (0..endpoints).map(|n| EndpointSpec::new(format!("endpoint-{n}")).model("m"));
        let fleet = Fleet::new(specs).expect("valid");
        let request = RouteCx::new("m", Timestamp::ZERO);
        Pipeline::default()
            .place_explained(&fleet, &request, &mut Rng::from_seed(1))
            .1
    }

    #[test]
    fn records_fit_a_header_whatever_the_fleet() {
        for (endpoints, least) in [(2, 2), (200, SHOWN / 2)] {
            let mut headers = HeaderMap::new();
            add(&mut headers, "endpoint-0", Some(&explained(endpoints)));
            assert_eq!(headers[ENDPOINT], "endpoint-0");
            let value = &headers[DECISION];
            assert!(value.len() <= BYTES_AT_MOST);
            let record: serde_json::Value = serde_json::from_slice(value.as_bytes()).expect("json");
            let shown = record["candidates"].as_array().expect("a list").len();
            assert!((least..=SHOWN).contains(&shown), "{shown}");
            assert!(record["chosen"].is_string());
        }
    }
}
