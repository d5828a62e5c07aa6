//! The upgrade.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::error::ApiError;
use gateway_router::ReplyBody;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Session;
use crate::{
    gate::{Gate, Rules},
    serve::{error_reply::Refusal, responses::fault::refused},
};

/// Agrees to the upgrade. The session is in the reply's extensions, for the connection to run.
///
/// # Errors
/// Where the request asks for no WebSocket of version 13.
pub(in crate::serve::responses) fn open(
    gate: &Arc<Gate>,
    mut parts: Parts,
    rules: &Rules,
) -> Result<Response<ReplyBody>, Refusal> {
    let headers = &parts.headers;
    let asked = names(headers, &header::CONNECTION, "upgrade")
        && names(headers, &header::UPGRADE, "websocket")
        && headers
            .get(header::SEC_WEBSOCKET_VERSION)
            .is_some_and(|version| version == "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked);
    let accept = key.map(|key| derive_accept_key(key.as_bytes()));
    let (Some(accept), Some(upgrade)) = (accept, parts.extensions.remove::<OnUpgrade>()) else {
        return Err(no_upgrade());
    };
    let accept = HeaderValue::try_from(accept).expect("base64 is a header value");
    let mut reply = Response::new(ReplyBody::from(Bytes::new()));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let told = reply.headers_mut();
    told.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    told.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    told.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let session = Session::new(gate, upgrade, parts.headers, rules.limits.request_bytes);
    reply.extensions_mut().insert(session);
    Ok(reply)
}

/// Whether a header's list of words has `word`.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lists = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut words = lists.flat_map(|list| list.split(','));
    words.any(|one| one.trim().eq_ignore_ascii_case(word))
}

fn no_upgrade() -> Refusal {
    let message = "GET here opens a WebSocket: send 'connection: upgrade', 'upgrade: websocket' and \
        'sec-websocket-version: 13', or POST a request.";
    refused(ApiError::new(426, message).with_code("upgrade_required"))
}
