//! What a caller says of a request by headers: conversation, objectives, priority, curiosity.

use std::{fmt::Display, str::FromStr};

use gateway_core::{Objectives, hash};
use gateway_govern::keys::Key;
use gateway_proto::error::ApiError;
use gateway_router::{Goal, Hints};
use http::HeaderMap;

use super::explain;
use crate::config::PRIORITIES;

const SESSION: &str = "x-session-id";
const TTFT: &str = "x-gateway-ttft-ms";
const TPOT: &str = "x-gateway-tpot-ms";
const DEADLINE: &str = "x-gateway-deadline-ms";
const PRIORITY: &str = "x-gateway-priority";

/// The longest time that means anything, in milliseconds: a day.
const MILLIS_AT_MOST: f32 = 86_400_000.0;
/// How much of a wrong value is repeated, in characters.
const SHOWN: usize = 64;

/// Reads the hints of a request that came with `key`.
///
/// # Errors
/// Where a value makes no sense; the error names the header and what to write.
pub(super) fn read(headers: &HeaderMap, key: &Key) -> Result<Hints, ApiError> {
    let session = headers.get(SESSION).filter(|value| !value.is_empty());
    let goal = Goal {
        objectives: Objectives {
            ttft_ms: millis(headers, TTFT)?,
            tpot_ms: millis(headers, TPOT)?,
            deadline_ms: millis(headers, DEADLINE)?,
        },
        priority: value(headers, PRIORITY, PRIORITY_FORM, |priority| {
            PRIORITIES.contains(priority)
        })?,
    };
    Ok(Hints {
        session: session.map(|value| hash::seed(&[value.as_bytes()])),
        goal,
        // 0 would mean nobody.
        caller: hash::seed(&[key.name().as_bytes()]).max(1),
        explain: key.may_explain() && headers.get(explain::ASK).is_some_and(|value| value == "1"),
        ..Hints::default()
    })
}

const MILLIS_FORM: &str = "milliseconds above 0 and at most a day, such as `500`";
const PRIORITY_FORM: &str = "a whole number from -100 to 100";

fn millis(headers: &HeaderMap, name: &'static str) -> Result<Option<f32>, ApiError> {
    value(headers, name, MILLIS_FORM, |ms: &f32| {
        *ms > 0.0 && *ms <= MILLIS_AT_MOST
    })
}

fn value<T: FromStr + Copy>(
    headers: &HeaderMap,
    name: &'static str,
    form: impl Display,
    is_good: impl Fn(&T) -> bool,
) -> Result<Option<T>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(written) = values.next() else {
        return Ok(None);
    };
    let wrong = |what: String| {
        let message = format!("The header `{name}` {what}: write {form}, or leave it out.");
        ApiError::invalid_request(message)
            .with_code("invalid_header")
            .with_param(name)
    };
    if values.next().is_some() {
        return Err(wrong("is there more than once".to_owned()));
    }
    let text = String::from_utf8_lossy(written.as_bytes());
    let read = text.trim().parse().ok().filter(is_good);
    read.map(Some).ok_or_else(|| {
        let shown: String = text.chars().take(SHOWN).collect();
        wrong(format!("is `{shown}`"))
    })
}

#[cfg(test)]
mod tests {
    use gateway_govern::keys::{KeyEntry, KeyHash, KeyRing};
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn told(pairs: &[(&'static str, &str)]) -> Result<Hints, ApiError> {
        let entry = KeyEntry::new("k", KeyHash::of("secret"));
        let ring = KeyRing::new([entry]).expect("one key");
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_static("secret"));
        for (name, value) in pairs {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(HeaderName::from_static(name), value);
        }
        read(&headers, ring.authenticate(&headers, 0).expect("known"))
    }

    #[test]
    fn goals_are_read() {
        let hints = told(&[(TTFT, "250"), (TPOT, " 12.5 "), (PRIORITY, "-100")]).expect("good");
        let goal = hints.goal;
        assert_eq!(goal.objectives.ttft_ms, Some(250.0));
        assert_eq!(goal.objectives.tpot_ms, Some(12.5));
        assert_eq!(
            (goal.objectives.deadline_ms, goal.priority),
            (None, Some(-100))
        );
        assert_eq!(told(&[]).expect("nothing").goal, Goal::default());
    }

    #[test]
    fn nonsense_is_refused_by_name_and_with_advice() {
        for (name, value) in [
            (TTFT, "soon"),
            (TTFT, ""),
            (TPOT, "0"),
            (DEADLINE, "-5"),
            (DEADLINE, "NaN"),
            (DEADLINE, "inf"),
            (PRIORITY, "101"),
            (PRIORITY, "-129"),
            (PRIORITY, "1.5"),
        ] {
            let error = told(&[(name, value)]).expect_err(value);
            assert_eq!((error.status, error.param.as_deref()), (400, Some(name)));
            assert!(error.message.contains("write"), "{}", error.message);
        }
        let twice = told(&[(TTFT, "1"), (TTFT, "2")]).expect_err("twice");
        assert!(twice.message.contains("more than once"));
        let long = told(&[(TTFT, &"9".repeat(5_000))]).expect_err("long");
        assert!(long.message.len() < 300);
    }

    #[test]
    fn a_caller_is_known_by_a_hash_of_the_name_alone() {
        let hints = told(&[(SESSION, "s")]).expect("good");
        assert_eq!(hints.caller, told(&[]).expect("good").caller);
        assert!(hints.caller != 0 && hints.session.is_some());
    }
}
