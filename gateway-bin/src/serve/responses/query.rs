//! Query strings.

use std::borrow::Cow;

use crate::serve::info::percent_decoded;

/// The pairs of a query string, decoded.
pub(super) fn pairs(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let pair = |text| {
        let (key, value): (&str, &str) = str::split_once(text, '=').unwrap_or((text, ""));
        (percent_decoded(key), percent_decoded(value))
    };
    query
        .split('&')
        .filter(|text| !text.is_empty())
        .map(pair)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let told = pairs("a=1&b%5B%5D=x%20y&&c");
        let told: Vec<_> = told.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(told, [("a", "1"), ("b[]", "x y"), ("c", "")]);
    }
}
