//! JSON as it is written in the field.

use gateway_core::decider::Message;

/// Numbers that are none, as many a library writes them though JSON does not have them.
const NO_NUMBERS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];

/// Reads a message. `NaN` and `Infinity` are taken for `null`.
///
/// # Errors
/// Where the line is no message.
pub(super) fn message(line: &[u8]) -> Result<Message, serde_json::Error> {
    serde_json::from_slice(line).or_else(|error| match without_no_numbers(line) {
        Some(line) => serde_json::from_slice(&line),
        None => Err(error),
    })
}

/// The line with `null` for each of them outside of texts; `None` where there are none.
fn without_no_numbers(line: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len());
    let (mut in_text, mut escaped, mut found) = (false, false, false);
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let none = NO_NUMBERS.iter().find(|none| line[at..].starts_with(none));
        if let Some(none) = none.filter(|_| !in_text) {
            out.extend_from_slice(b"null");
            at += none.len();
            found = true;
            continue;
        }
        if byte == b'"' && !escaped {
            in_text = !in_text;
        }
        escaped = in_text && byte == b'\\' && !escaped;
        out.push(byte);
        at += 1;
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_numbers_outside_of_texts_become_null() {
        let line = br#"{"a":NaN,"b":[-Infinity,Infinity],"NaN \" NaN":"Infinity\\","c":-1}"#;
        let told = br#"{"a":null,"b":[null,null],"NaN \" NaN":"Infinity\\","c":-1}"#;
        assert_eq!(without_no_numbers(line).as_deref(), Some(&told[..]));
        assert_eq!(without_no_numbers(br#"{"a":"NaN"}"#), None);
    }

    #[test]
    fn what_stays_malformed_says_why() {
        for (line, why) in [
            (&b"{\"t\":\"finish\""[..], "EOF"),
            (br#"{"t":"tea"}"#, "unknown variant `tea`"),
            (br#"{"now":1}"#, "missing field `t`"),
            (br#"[NaN]"#, "invalid"),
            (br#"{"t":"route"} {}"#, "req"),
        ] {
            let error = message(line).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
