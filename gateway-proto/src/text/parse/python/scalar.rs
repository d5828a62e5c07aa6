//! Numbers and names.

/// The longest number or name, in bytes: an integer of a few hundred digits.
pub(in super::super) const LONGEST: usize = 512;

/// The JSON of a number or constant.
pub(super) fn to_json(text: &str) -> Option<String> {
    let named = match text {
        "True" | "true" => "true",
        "False" | "false" => "false",
        "None" | "null" => "null",
        _ => return number(text),
    };
    Some(named.to_owned())
}

/// Whether a number or name goes on with `c`.
pub(in super::super) fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')
}

fn number(text: &str) -> Option<String> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let plain = without_underscores(digits)?;
    let value = match plain.get(..2) {
        Some("0x" | "0X") => radix(&plain[2..], 16)?,
        Some("0o" | "0O") => radix(&plain[2..], 8)?,
        Some("0b" | "0B") => radix(&plain[2..], 2)?,
        _ => decimal(&plain)?,
    };
    Some(format!("{minus}{value}"))
}

/// Underscores stand between two digits and mean nothing.
fn without_underscores(digits: &str) -> Option<String> {
    let bytes = digits.as_bytes();
    for (at, _) in digits.match_indices('_') {
        let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
        if at == 0 || !hex(at - 1) || !hex(at + 1) {
            return None;
        }
    }
    Some(digits.replace('_', ""))
}

fn radix(digits: &str, radix: u32) -> Option<String> {
    let signed = digits.starts_with(['+', '-']);
    let value = u128::from_str_radix(digits, radix).ok()?;
    (!signed).then(|| value.to_string())
}

fn decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let empty = whole.is_empty() && fraction.is_none_or(str::is_empty);
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if empty || leading_zero || !all_digits(whole) || !fraction.is_none_or(all_digits) {
        return None;
    }
    let mut json = if whole.is_empty() { "0" } else { whole }.to_owned();
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
        json.push('e');
        json.push_str(exponent);
    }
    let finite =
        (fraction.is_none() && exponent.is_none()) || json.parse::<f64>().is_ok_and(f64::is_finite);
    finite.then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_reads_as_a_number() {
        let cases = [
            ("1", "1"),
            ("-5", "-5"),
            ("+5", "5"),
            ("0", "0"),
            ("1_000", "1000"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-.5e-3", "-0.5e-3"),
            ("1E+9", "1e+9"),
            ("0xFF", "255"),
            ("0o17", "15"),
            ("0b101", "5"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
        ];
        for (python, json) in cases {
            assert_eq!(to_json(python).as_deref(), Some(json), "{python}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for text in [
            "", "-", ".", "1__0", "_1", "1_", "007", "1e", "1e999", "inf", "nan", "1j", "0x",
            "0x+1", "--1", "1.2.3", "é",
        ] {
            assert_eq!(to_json(text), None, "{text}");
        }
    }
}
