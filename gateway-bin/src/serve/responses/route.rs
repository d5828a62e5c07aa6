//! Paths to what is served of kept responses and conversations.

use http::Method;

/// What is asked for, beside `POST /v1/responses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Route<'a> {
    /// `GET /v1/responses`: the WebSocket form.
    Socket,
    /// `/v1/responses/input_tokens`.
    InputTokens,
    /// `/v1/responses/compact`.
    Compact,
    /// `/v1/responses/{id}`.
    Response(&'a str),
    /// `/v1/responses/{id}/cancel`.
    Cancel(&'a str),
    /// `/v1/responses/{id}/input_items`.
    InputItems(&'a str),
    /// `/v1/conversations`.
    Conversations,
    /// `/v1/conversations/{id}`.
    Conversation(&'a str),
    /// `/v1/conversations/{id}/items`.
    Items(&'a str),
    /// `/v1/conversations/{id}/items/{item}`.
    Item(&'a str, &'a str),
}

/// The route at `path`; `None` where there is none.
pub(in crate::serve) fn find(path: &str) -> Option<Route<'_>> {
    let mut parts = path.strip_prefix("/v1/")?.split('/');
    let mut next = || parts.next();
    let (kind, words) = (next()?, [next(), next(), next(), next()]);
    if words.contains(&Some("")) {
        return None;
    }
    let route = match (kind, words) {
        ("responses", [None, ..]) => Route::Socket,
        ("responses", [Some("input_tokens"), None, ..]) => Route::InputTokens,
        ("responses", [Some("compact"), None, ..]) => Route::Compact,
        ("responses", [Some(id), None, ..]) => Route::Response(id),
        ("responses", [Some(id), Some("cancel"), None, _]) => Route::Cancel(id),
        ("responses", [Some(id), Some("input_items"), None, _]) => Route::InputItems(id),
        ("conversations", [None, ..]) => Route::Conversations,
        ("conversations", [Some(id), None, ..]) => Route::Conversation(id),
        ("conversations", [Some(id), Some("items"), None, _]) => Route::Items(id),
        ("conversations", [Some(id), Some("items"), Some(item), None]) => Route::Item(id, item),
        _ => return None,
    };
    Some(route)
}

impl Route<'_> {
    /// Whether it is served with `method`.
    pub(in crate::serve) fn allows(self, method: &Method) -> bool {
        methods(self)
            .split(", ")
            .any(|name| name == method.as_str())
    }
}

/// The methods of a route, for the `allow` header of a 405.
pub(in crate::serve) fn methods(route: Route<'_>) -> &'static str {
    match route {
        Route::Socket => "GET, POST",
        Route::InputTokens | Route::Compact | Route::Cancel(_) | Route::Conversations => "POST",
        Route::Response(_) | Route::Item(..) => "GET, DELETE",
        Route::InputItems(_) => "GET",
        Route::Conversation(_) => "GET, POST, DELETE",
        Route::Items(_) => "GET, POST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        for (path, route) in [
            ("/v1/responses", Some(Route::Socket)),
            ("/v1/responses/compact", Some(Route::Compact)),
            ("/v1/responses/r", Some(Route::Response("r"))),
            ("/v1/responses/r/cancel", Some(Route::Cancel("r"))),
            ("/v1/responses/r/input_items", Some(Route::InputItems("r"))),
            ("/v1/responses/r/else", None),
            ("/v1/responses/", None),
            ("/v1/responses/r/cancel/x", None),
            ("/v1/conversations/c/items/i", Some(Route::Item("c", "i"))),
            ("/v1/conversations/c/items/i/x", None),
            ("/v1/conversations/c//i", None),
            ("/v1/models", None),
        ] {
            assert_eq!(find(path), route, "{path}");
        }
    }
}
