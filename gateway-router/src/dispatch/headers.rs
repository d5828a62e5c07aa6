//! Which headers cross the router, each way.

use gateway_proto::engines::transfer::LegEdit;
use http::{HeaderMap, HeaderName, HeaderValue, header};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Connection-level headers (RFC 9110, 7.6.1) and those that describe a body that is framed anew.
const NOT_PASSED_ON: [HeaderName; 13] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::HOST,
    header::EXPECT,
    // The relay looks into replies, so they must come plain.
    header::ACCEPT_ENCODING,
];

/// What only the router says to engines, and to the proxies that stand before some: which replica computes, and which
/// engine does the other half (vLLM and SGLang, MindIE, llm-d's sidecar). A caller's word would reach any host.
const NOT_FROM_CALLERS: [HeaderName; 9] = [
    HeaderName::from_static("x-data-parallel-rank"),
    HeaderName::from_static("x-data-parallel-host-port"),
    HeaderName::from_static("x-prefiller-host-port"),
    HeaderName::from_static("x-prefiller-url"),
    HeaderName::from_static("x-encoder-hosts-ports"),
    HeaderName::from_static("req-type"),
    HeaderName::from_static("req-id"),
    HeaderName::from_static("d-target"),
    HeaderName::from_static("is-recompute"),
];

/// What an engine gets to see of a caller's headers.
pub(super) fn for_engine(headers: &HeaderMap, request_id: &str) -> HeaderMap {
    let mut headers = headers.clone();
    strip(&mut headers);
    for name in &NOT_FROM_CALLERS {
        headers.remove(name);
    }
    if let Ok(id) = HeaderValue::from_str(request_id)
        && !id.is_empty()
    {
        headers.insert(REQUEST_ID, id);
    }
    headers
}

/// Adds what a leg of a pair says in headers.
pub(super) fn of_leg(edit: Option<&LegEdit>, headers: &mut HeaderMap) {
    for (name, value) in edit.into_iter().flat_map(LegEdit::headers) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// What a caller gets to see of an engine's headers.
pub(super) fn for_caller(mut headers: HeaderMap) -> HeaderMap {
    strip(&mut headers);
    // What belongs to the hop or names the engine's insides; the gateway has its own.
    for name in [header::SERVER, header::DATE, REQUEST_ID] {
        headers.remove(name);
    }
    headers
}

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Removes what is fixed to one hop: by its name, or because `connection` names it.
fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    let words = values.filter_map(|value| value.to_str().ok());
    words
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|&(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn hop_by_hop_headers_stop_here() {
        let told = map(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("accept-encoding", "gzip"),
            ("expect", "100-continue"),
            ("traceparent", "00-a-b-01"),
            ("x-data-parallel-rank", "3"),
            ("d-target", "10.0.0.9;1025"),
            ("x-prefiller-host-port", "10.0.0.9:8000"),
        ]);
        let sent = for_engine(&told, "r-1");
        let left = map(&[("traceparent", "00-a-b-01"), ("x-request-id", "r-1")]);
        assert_eq!(sent, left);
        let odd = map(&[("connection", "content-type, , bad name"), ("x-a", "1")]);
        assert_eq!(for_engine(&odd, ""), map(&[("x-a", "1")]));
    }

    #[test]
    fn event_streams_are_told_by_the_media_type_alone() {
        for (kind, streams) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; charset=utf-8", true),
            ("text/event-stream-not", false),
            ("application/json", false),
        ] {
            assert_eq!(
                is_event_stream(&map(&[("content-type", kind)])),
                streams,
                "{kind}"
            );
        }
    }
}
