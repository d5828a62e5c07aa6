//! JSON in one line.

/// Appends the JSON text `raw` without the blanks between its tokens: stream events end at line breaks, and what a
/// client sent may hold some.
pub(super) fn push_compact(out: &mut Vec<u8>, raw: &str) {
    let mut rest = raw.as_bytes();
    while let Some(quote) = memchr::memchr(b'"', rest) {
        push_unquoted(out, &rest[..quote]);
        let end = string_end(&rest[quote..]);
        out.extend_from_slice(&rest[quote..quote + end]);
        rest = &rest[quote + end..];
    }
    push_unquoted(out, rest);
}

fn push_unquoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

/// Length of the string that starts `bytes`, both quotes included.
fn string_end(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += next;
        if bytes[at] == b'"' {
            return at + 1;
        }
        // The byte behind a backslash is never an end, whatever it is.
        at = (at + 2).min(bytes.len());
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_within_strings_stay() {
        let mut out = Vec::new();
        let raw = "{ \"a \\\" b\" :\n[ 1 ,\t\"\\\\\" , true ] ,\r\n \"c\" : \"d  e\" }";
        push_compact(&mut out, raw);
        let told = String::from_utf8(out).expect("UTF-8 stays UTF-8");
        assert_eq!(told, r#"{"a \" b":[1,"\\",true],"c":"d  e"}"#);
    }
}
