//! Callers get what an undisturbed engine writes: all of it, or its beginning.

use serde_json::Value;

use super::Case;
use crate::{caller::Seen, engine::words, plan::Route, text::undisturbed};

pub(super) fn are_as_undisturbed(case: &Case<'_>) {
    match case.told.plan.route {
        Route::Tokens { .. } => tokens(case),
        Route::Chat if case.told.plan.stream => stream(case),
        Route::Chat => whole(case),
    }
}

fn tokens(case: &Case<'_>) {
    let (at, told) = (&case.at, case.told);
    let whole = undisturbed(&told.plan.call);
    assert_eq!(told.choices.len(), whole.len(), "{at}");
    for (choice, (ids, finish)) in told.choices.iter().zip(&whole) {
        assert!(
            ids.starts_with(&choice.ids),
            "{at}: {:?} was told, {ids:?} is what is written",
            choice.ids
        );
        if let Some(told) = &choice.finish {
            assert_eq!((told, choice.ids.len()), (finish, ids.len()), "{at}");
        }
        if told.plan.call.logprobs.is_some() {
            assert_eq!(choice.logprobs, choice.ids.len(), "{at}: each has its own");
        }
        if matches!(told.seen, Seen::Whole) {
            assert_eq!(choice.ids, *ids, "{at}: the end is missing");
            assert!(choice.finish.is_some(), "{at}: a choice without an end");
        }
    }
}

fn expected(case: &Case<'_>) -> String {
    words(&undisturbed(&case.told.plan.call)[0].0)
}

fn stream(case: &Case<'_>) {
    let (at, told) = (&case.at, case.told);
    let (mut said, mut errors) = (String::new(), 0);
    let events = told
        .text
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    for event in events.filter(|event| *event != "[DONE]") {
        let event: Value = serde_json::from_str(event).unwrap_or_else(|e| panic!("{at}: {e}"));
        errors += usize::from(event.get("error").is_some());
        said += event["choices"][0]["delta"]["content"]
            .as_str()
            .unwrap_or_default();
    }
    let expected = expected(case);
    assert!(expected.starts_with(&said), "{at}: {said} of {expected}");
    let is_done = told.text.ends_with("data: [DONE]\n\n");
    match told.seen {
        Seen::Whole => assert_eq!((said, errors, is_done), (expected, 0, true), "{at}"),
        Seen::Broken => assert_eq!((errors, is_done), (1, false), "{at}: one clean error"),
        _ => assert_eq!((errors, is_done), (0, false), "{at}"),
    }
}

fn whole(case: &Case<'_>) {
    let (at, told) = (&case.at, case.told);
    if matches!(told.seen, Seen::Whole) {
        let body: Value = serde_json::from_str(&told.text).expect("JSON");
        let said = &body["choices"][0]["message"]["content"];
        assert_eq!(said.as_str(), Some(&*expected(case)), "{at}");
    }
}
