//! Numbers that the template engine prints otherwise than Python does, or cannot hold.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};

/// A number as its text: a float that Python writes with an exponent, or an integer of more than 128 bits.
///
/// It prints, compares with nothing and cannot be reckoned with.
#[derive(Debug)]
pub(in super::super) struct Number {
    text: String,
    zero: bool,
    pub(super) integer: bool,
}

impl Number {
    /// The digits as Python prints them.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl Object for Number {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.zero
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A float.
pub(super) fn float(value: f64) -> Value {
    let text = float_text(value);
    if text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-')) {
        return Value::from(value);
    }
    Value::from_object(Number {
        text,
        zero: false,
        integer: false,
    })
}

/// An integer from its decimal digits, without leading zeros.
pub(super) fn integer(digits: &str) -> Value {
    if let Ok(small) = digits.parse::<i64>() {
        return Value::from(small);
    }
    if let Ok(large) = digits.parse::<i128>() {
        return Value::from(large);
    }
    Value::from_object(Number {
        text: digits.to_owned(),
        zero: false,
        integer: true,
    })
}

/// A float as `repr` writes it: the shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
pub(super) fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    let (digits, exponent) = shortest(value.abs());
    let text = match exponent {
        -4..=-1 => {
            let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
            format!("0.{zeros}{digits}")
        }
        0..=15 => {
            let whole = exponent as usize + 1;
            if digits.len() <= whole {
                format!("{digits:0<whole$}.0")
            } else {
                format!("{}.{}", &digits[..whole], &digits[whole..])
            }
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{first}{point}{rest}e{mark}{:02}", exponent.unsigned_abs())
        }
    };
    format!("{sign}{text}")
}

/// The digits without a point, and the exponent of the first.
fn shortest(value: f64) -> (String, i32) {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mut digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if digits.len() >= 15 {
        prefer_even(&mut digits, value);
    }
    (digits, exponent.parse().unwrap_or(0))
}

/// Exactly between two shortest texts Python takes the even one, Rust the upper one.
fn prefer_even(digits: &mut String, value: f64) {
    let last = digits.as_bytes()[digits.len() - 1];
    if last.is_multiple_of(2) {
        return;
    }
    let exact: String = format!("{value:.60e}");
    let exact: String = exact
        .chars()
        .take_while(|c| *c != 'e')
        .filter(|c| *c != '.')
        .collect();
    let (_, tail) = exact.split_at(digits.len());
    let is_middle = tail.starts_with('5') && tail[1..].bytes().all(|b| b == b'0');
    if !is_middle {
        return;
    }
    let mut lower = digits[..digits.len() - 1].to_owned();
    lower.push(char::from(last - 1));
    let scale = format!("{value:e}");
    let exponent: i32 = scale
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    let read: Result<f64, _> = format!("{}.{}e{exponent}", &lower[..1], &lower[1..]).parse();
    if read == Ok(value) {
        *digits = lower;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (123.456, "123.456"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-1.5e16, "-1.5e+16"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (165_793_407_361_858.0 + 0.125, "165793407361858.12"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float_text(value), text);
        }
        assert_eq!(float_text(f64::NAN), "nan");
    }

    #[test]
    fn values_keep_their_text() {
        assert_eq!(float(1e16).to_string(), "1e+16");
        assert_eq!(float(-0.0).to_string(), "-0.0");
        let huge = "9".repeat(60);
        assert_eq!(integer(&huge).to_string(), huge);
        assert_eq!(
            integer("18446744073709551615").to_string(),
            "18446744073709551615"
        );
    }
}
