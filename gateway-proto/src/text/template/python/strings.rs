//! Methods of Python's `str`, where they differ from those of the engine's compatibility layer.

use minijinja::value::{Kwargs, Value, from_args};
use minijinja::{Error, ErrorKind};

use super::List;

/// `None` for methods that the compatibility layer has right.
pub(super) fn call(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let answer = match method {
        "strip" => Value::from(strip(text, chars(args)?.as_deref(), true, true)),
        "lstrip" => Value::from(strip(text, chars(args)?.as_deref(), true, false)),
        "rstrip" => Value::from(strip(text, chars(args)?.as_deref(), false, true)),
        "split" => split(text, args, false)?,
        "rsplit" => split(text, args, true)?,
        "splitlines" => splitlines(text, args)?,
        "partition" => partition(text, args, false)?,
        "rpartition" => partition(text, args, true)?,
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "index" => {
            let (what,): (&str,) = from_args(args)?;
            let at = text.find(what).ok_or_else(|| bad("substring not found"))?;
            Value::from(text[..at].chars().count())
        }
        "zfill" => zfill(text, args)?,
        "ljust" => pad(text, args, |gap| (0, gap))?,
        "rjust" => pad(text, args, |gap| (gap, 0))?,
        "title" => Value::from(title(text)),
        "capitalize" => Value::from(capitalize(text)),
        "swapcase" => Value::from(swapcase(text)),
        "casefold" => Value::from(text.to_lowercase()),
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn bad(text: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

/// What Python's `str.isspace` holds for: Unicode white space and four separators of ASCII.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn chars(args: &[Value]) -> Result<Option<Vec<char>>, Error> {
    let (chars,): (Option<&str>,) = from_args(args)?;
    Ok(chars.map(|chars| chars.chars().collect()))
}

/// Cuts white space, or the characters given, at the ends.
pub(super) fn strip<'a>(text: &'a str, chars: Option<&[char]>, start: bool, end: bool) -> &'a str {
    let cut = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(&c));
    let text = if start {
        text.trim_start_matches(cut)
    } else {
        text
    };
    if end {
        text.trim_end_matches(cut)
    } else {
        text
    }
}

fn split(text: &str, args: &[Value], from_end: bool) -> Result<Value, Error> {
    let (mark, most, kwargs): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let mark = match mark {
        Some(mark) => Some(mark),
        None => kwargs.get::<Option<Value>>("sep")?,
    };
    let most = match most {
        Some(most) => Some(most),
        None => kwargs.get::<Option<i64>>("maxsplit")?,
    };
    kwargs.assert_all_used()?;
    let most = most.and_then(|most| usize::try_from(most).ok());
    let parts = match mark.filter(|mark| !mark.is_none()) {
        None => words(text, most, from_end),
        Some(mark) => match mark.as_str() {
            Some("") => return Err(bad("empty separator")),
            Some(mark) => marked(text, mark, most, from_end),
            None => return Err(bad("the separator must be a string")),
        },
    };
    Ok(List::value(parts.into_iter().map(Value::from).collect()))
}

fn marked<'a>(text: &'a str, mark: &str, most: Option<usize>, from_end: bool) -> Vec<&'a str> {
    let pieces = most.map_or(usize::MAX, |most| most.saturating_add(1));
    if !from_end {
        return text.splitn(pieces, mark).collect();
    }
    let mut parts: Vec<&str> = text.rsplitn(pieces, mark).collect();
    parts.reverse();
    parts
}

fn words(text: &str, most: Option<usize>, from_end: bool) -> Vec<&str> {
    let mut rest = strip(text, None, !from_end, from_end);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if most.is_some_and(|most| parts.len() >= most) {
            parts.push(rest);
            break;
        }
        let cut = if from_end {
            rest.rfind(is_space)
        } else {
            rest.find(is_space)
        };
        let Some(at) = cut else {
            parts.push(rest);
            break;
        };
        let (before, after) = rest.split_at(at);
        if from_end {
            parts.push(after.trim_start_matches(is_space));
            rest = strip(before, None, false, true);
        } else {
            parts.push(before);
            rest = strip(after, None, true, false);
        }
    }
    parts.retain(|part| !part.is_empty());
    if from_end {
        parts.reverse();
    }
    parts
}

fn splitlines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep, kwargs): (Option<bool>, Kwargs) = from_args(args)?;
    let keep = keep.or(kwargs.get("keepends")?).unwrap_or(false);
    let ends = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends).unwrap_or(rest.len());
        let mark = rest[end..].chars().next().map_or(0, char::len_utf8);
        let mark = if rest[end..].starts_with("\r\n") {
            2
        } else {
            mark
        };
        let (line, after) = rest.split_at(end + mark);
        lines.push(Value::from(if keep { line } else { &line[..end] }));
        rest = after;
    }
    Ok(List::value(lines))
}

fn partition(text: &str, args: &[Value], last: bool) -> Result<Value, Error> {
    let (mark,): (&str,) = from_args(args)?;
    if mark.is_empty() {
        return Err(bad("empty separator"));
    }
    let found = if last {
        text.rsplit_once(mark)
    } else {
        text.split_once(mark)
    };
    let parts = match found {
        Some((before, after)) => [before, mark, after],
        None if last => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(minijinja::value::Tuple::from(
        parts.map(Value::from),
    )))
}

/// Widest padding, so that a template cannot ask for gigabytes.
const WIDEST: usize = 10_000;

fn gap(text: &str, width: i64) -> usize {
    let width = usize::try_from(width).unwrap_or(0).min(WIDEST);
    width.saturating_sub(text.chars().count())
}

fn zfill(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (width,): (i64,) = from_args(args)?;
    let signs = usize::from(text.starts_with(['+', '-']));
    let (sign, digits) = text.split_at(signs);
    let zeros = "0".repeat(gap(text, width));
    Ok(Value::from(format!("{sign}{zeros}{digits}")))
}

fn pad(text: &str, args: &[Value], share: fn(usize) -> (usize, usize)) -> Result<Value, Error> {
    let (width, fill): (i64, Option<&str>) = from_args(args)?;
    let (before, after) = share(gap(text, width));
    let fill = fill.unwrap_or(" ");
    if fill.chars().count() != 1 {
        return Err(bad("the fill must be one character"));
    }
    Ok(Value::from(format!(
        "{}{text}{}",
        fill.repeat(before),
        fill.repeat(after)
    )))
}

/// Python begins a word after everything that is no letter.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// The first character in upper case, the others in lower case.
pub(super) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars.flat_map(char::to_lowercase)).collect()
}

fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_uppercase() {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, method: &str, args: &[Value]) -> String {
        call(text, method, args).unwrap().unwrap().to_string()
    }

    #[test]
    fn split_like_python() {
        assert_eq!(answer(" a  b ", "split", &[]), "['a', 'b']");
        assert_eq!(
            answer(" a  b c ", "split", &[().into(), 1.into()]),
            "['a', 'b c ']"
        );
        assert_eq!(
            answer(" a  b c ", "rsplit", &[().into(), 1.into()]),
            "[' a  b', 'c']"
        );
        assert_eq!(answer("a,,b", "split", &[",".into()]), "['a', '', 'b']");
        assert_eq!(
            answer("a,b,c", "rsplit", &[",".into(), 1.into()]),
            "['a,b', 'c']"
        );
        assert_eq!(answer("", "split", &[]), "[]");
        assert_eq!(answer("", "split", &[",".into()]), "['']");
        assert!(call("a", "split", &["".into()]).is_err());
    }

    #[test]
    fn the_rest_like_python() {
        assert_eq!(answer("\u{1f}a\u{3000}", "strip", &[]), "a");
        assert_eq!(answer("xxaxx", "rstrip", &["x".into()]), "xxa");
        assert_eq!(
            answer("a\r\nb\u{2028}\nc", "splitlines", &[]),
            "['a', 'b', '', 'c']"
        );
        assert_eq!(
            answer("a=b=c", "rpartition", &["=".into()]),
            "('a=b', '=', 'c')"
        );
        assert_eq!(answer("they're x1y", "title", &[]), "They'Re X1Y");
        assert_eq!(answer("-7", "zfill", &[4.into()]), "-007");
        assert_eq!(answer("é", "ljust", &[3.into(), ".".into()]), "é..");
        assert_eq!(answer("aé!b", "index", &["b".into()]), "3");
    }
}
