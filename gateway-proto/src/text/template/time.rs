//! The time that templates may print.

use std::fmt::Write;

use minijinja::value::{Object, ObjectRepr};

/// The variable that holds the time; no template can name it.
pub(super) const CLOCK: &str = "\0now";

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A civil time, of a zone that only the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    year: i64,
    /// 1 to 12.
    month: u8,
    /// 1 to 31.
    day: u8,
    /// Seconds since midnight.
    second: u32,
    /// Days since 1970-01-01.
    days: i64,
}

impl LocalTime {
    /// The civil time `offset_seconds` east of Greenwich at `unix_seconds`.
    #[must_use]
    pub fn from_unix(unix_seconds: i64, offset_seconds: i32) -> Self {
        let local = unix_seconds.saturating_add(i64::from(offset_seconds));
        let days = local.div_euclid(86_400);
        let second = u32::try_from(local.rem_euclid(86_400)).unwrap_or(0);
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            second,
            days,
        }
    }

    fn hour(&self) -> u32 {
        self.second / 3_600
    }

    fn minute(&self) -> u32 {
        self.second / 60 % 60
    }

    /// From Sunday, 0 to 6.
    fn weekday(&self) -> usize {
        usize::try_from((self.days + 4).rem_euclid(7)).unwrap_or(0)
    }

    /// From 0.
    fn day_of_year(&self) -> i64 {
        self.days - days_before(self.year, 1, 1)
    }

    /// Week and year as ISO 8601 counts them.
    fn iso_week(&self) -> (i64, i64) {
        let from_monday = (self.days + 3).rem_euclid(7);
        let thursday = self.days - from_monday + 3;
        let (year, ..) = civil(thursday);
        (year, (thursday - days_before(year, 1, 1)) / 7 + 1)
    }

    /// Weeks of the year that begin on weekday `first` (0 is Sunday).
    fn week(&self, first: i64) -> i64 {
        let since = (self.days + 4 - first).rem_euclid(7);
        (self.day_of_year() + 7 - since) / 7
    }

    /// As Python's `strftime` in the C locale; what is no code stays as it is.
    #[must_use]
    pub fn strftime(&self, format: &str) -> String {
        let mut out = String::with_capacity(format.len() + 16);
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let rest = chars.as_str();
            let flags = rest
                .find(|c| !matches!(c, '-' | '_' | '0' | '^' | '#'))
                .unwrap_or(rest.len());
            let Some(code) = rest[flags..].chars().next() else {
                out.push('%');
                out.push_str(rest);
                break;
            };
            match self.code(code) {
                Some(field) => field.write(&mut out, &rest[..flags]),
                None => {
                    out.push('%');
                    out.push_str(&rest[..flags + code.len_utf8()]);
                }
            }
            chars = rest[flags + code.len_utf8()..].chars();
        }
        out
    }

    fn code(&self, code: char) -> Option<Field> {
        let name = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
        let month = name(&MONTHS, usize::from(self.month).saturating_sub(1));
        let day = name(&DAYS, self.weekday());
        let weekday = i64::try_from(self.weekday()).unwrap_or(0);
        Some(match code {
            'Y' => Field::number(self.year, 1),
            'G' => Field::number(self.iso_week().0, 1),
            'C' => Field::number(self.year.div_euclid(100), 2),
            'y' => Field::number(self.year.rem_euclid(100), 2),
            'g' => Field::number(self.iso_week().0.rem_euclid(100), 2),
            'm' => Field::number(self.month.into(), 2),
            'd' => Field::number(self.day.into(), 2),
            'e' => Field::spaced(self.day.into()),
            'j' => Field::number(self.day_of_year() + 1, 3),
            'H' => Field::number(self.hour().into(), 2),
            'k' => Field::spaced(self.hour().into()),
            'I' => Field::number((i64::from(self.hour()) + 11) % 12 + 1, 2),
            'l' => Field::spaced((i64::from(self.hour()) + 11) % 12 + 1),
            'M' => Field::number(self.minute().into(), 2),
            'S' => Field::number((self.second % 60).into(), 2),
            'u' => Field::number((weekday + 6) % 7 + 1, 1),
            'w' => Field::number(weekday, 1),
            'U' => Field::number(self.week(0), 2),
            'W' => Field::number(self.week(1), 2),
            'V' => Field::number(self.iso_week().1, 2),
            'f' => Field::text("000000"),
            'p' => Field::text(if self.hour() < 12 { "AM" } else { "PM" }),
            'P' => Field::text(if self.hour() < 12 { "am" } else { "pm" }),
            'B' => Field::text(month),
            'b' | 'h' => Field::text(&month[..3]),
            'A' => Field::text(day),
            'a' => Field::text(&day[..3]),
            'n' => Field::text("\n"),
            't' => Field::text("\t"),
            '%' => Field::text("%"),
            // A naive time has no zone.
            'z' | 'Z' => Field::text(""),
            'c' => Field::Text(self.strftime("%a %b %e %H:%M:%S %Y")),
            'x' | 'D' => Field::Text(self.strftime("%m/%d/%y")),
            'X' | 'T' => Field::Text(self.strftime("%H:%M:%S")),
            'F' => Field::Text(self.strftime("%Y-%m-%d")),
            'R' => Field::Text(self.strftime("%H:%M")),
            'r' => Field::Text(self.strftime("%I:%M:%S %p")),
            _ => return None,
        })
    }
}

/// A part of a printed time, before flags act on it.
enum Field {
    Number {
        value: i64,
        width: usize,
        fill: char,
    },
    Text(String),
}

impl Field {
    fn number(value: i64, width: usize) -> Self {
        let fill = '0';
        Self::Number { value, width, fill }
    }

    fn spaced(value: i64) -> Self {
        let (width, fill) = (2, ' ');
        Self::Number { value, width, fill }
    }

    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The last of several flags counts, as in the C library.
    fn write(&self, out: &mut String, flags: &str) {
        match self {
            Self::Number { value, width, fill } => {
                let flag = flags.chars().rfind(|flag| matches!(flag, '-' | '_' | '0'));
                let (width, fill) = match flag {
                    Some('-') => (0, *fill),
                    Some('_') => (*width, ' '),
                    Some(_) => (*width, '0'),
                    None => (*width, *fill),
                };
                let digits = value.to_string();
                out.extend(std::iter::repeat_n(
                    fill,
                    width.saturating_sub(digits.len()),
                ));
                write!(out, "{digits}").expect("a string takes all");
            }
            Self::Text(text) if flags.contains('^') => out.push_str(&text.to_uppercase()),
            Self::Text(text) => out.push_str(text),
        }
    }
}

/// Year, month and day of a count of days since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |n: i64| u8::try_from(n).unwrap_or(1);
    (year, small(month), small(day))
}

/// The inverse of [`civil`].
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

impl Object for LocalTime {
    fn repr(self: &std::sync::Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_print_as_in_python() {
        // 2024-02-29 13:05:09, a Thursday.
        let time = LocalTime::from_unix(1_709_211_909, 0);
        for (format, text) in [
            ("%d %b %Y", "29 Feb 2024"),
            ("%-d %B %Y, %A", "29 February 2024, Thursday"),
            ("%Y-%m-%dT%H:%M:%S", "2024-02-29T13:05:09"),
            ("%I:%M %p %j %y", "01:05 PM 060 24"),
            ("%c|%x|%X", "Thu Feb 29 13:05:09 2024|02/29/24|13:05:09"),
            ("%U %W %V %G %u %w", "08 09 09 2024 4 4"),
            ("%-I %_I %^a %e", "1  1 THU 29"),
            ("%% %Q %", "% %Q %"),
            ("%f%z%Z", "000000"),
        ] {
            assert_eq!(time.strftime(format), text, "{format}");
        }
    }

    #[test]
    fn days_and_dates_agree() {
        for days in (-800_000..800_000).step_by(97) {
            let (year, month, day) = civil(days);
            assert_eq!(days_before(year, month.into(), day.into()), days);
        }
        let edge = LocalTime::from_unix(i64::MAX, i32::MAX);
        assert!(!edge.strftime("%c %V %U %j").is_empty());
        assert_eq!(
            LocalTime::from_unix(-1, 0).strftime("%F %T"),
            "1969-12-31 23:59:59"
        );
        assert_eq!(
            LocalTime::from_unix(0, 7_200).strftime("%F %T"),
            "1970-01-01 02:00:00"
        );
    }
}
