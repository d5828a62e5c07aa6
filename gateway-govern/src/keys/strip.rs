//! What a caller sends about itself must not reach an engine.

use http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, COOKIE, FORWARDED, PROXY_AUTHORIZATION},
};

/// Prefixes of headers by which proxies vouch for a caller. A caller can write them as well, and engines need none.
const TRUST_PREFIXES: [&str; 2] = ["x-gateway-", "x-forwarded-"];

/// Takes out credentials (`authorization`, `proxy-authorization`, `x-api-key`, `api-key`, `cookie`) and inbound trust
/// headers (`x-gateway-*`, `x-forwarded-*`, `forwarded`, `x-real-ip`).
pub fn strip(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, FORWARDED] {
        headers.remove(name);
    }
    for name in ["x-api-key", "api-key", "x-real-ip"] {
        headers.remove(name);
    }
    while let Some(name) = first_trusted(headers) {
        headers.remove(name);
    }
}

fn first_trusted(headers: &HeaderMap) -> Option<HeaderName> {
    let vouches = |name: &&HeaderName| {
        TRUST_PREFIXES
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix))
    };
    headers.keys().find(vouches).cloned()
}
