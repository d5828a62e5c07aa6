//! One engine fails after any number of tokens, in any way.

use std::time::Duration;

use gateway_router::{
    Ending, TokenStep,
    core::health::Availability,
    proto::{engines::TokenFinish, ir::LogprobsAsked},
};

use super::{
    Fleet, PROMPT, call, read, request, undisturbed, used,
    writer::{How, fault},
};
use crate::common::within;

const LENGTH: usize = 12;

fn asked() -> super::TokenCall {
    let mut asked = call(LENGTH as u64);
    asked.logprobs = Some(LogprobsAsked { top: 0 });
    asked.sampling.min_tokens = Some(6);
    asked.sampling.seed = Some(7);
    asked
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_on_wherever_and_however_an_engine_fails_it() {
    let whole = undisturbed(request(asked())).await;
    assert_eq!(whole.ids().len(), LENGTH);
    for how in How::MIDWAY {
        for after in 1..LENGTH {
            let fleet = Fleet::new(&[&[fault(how, after)], &[]]);
            let told = fleet.answer(request(asked())).await;
            assert_eq!(told, whole, "{how:?} after {after}");
            let second = &fleet.calls(1)[0];
            let prompt = [&PROMPT[..], &whole.ids()[..after]].concat();
            assert_eq!(*second.prompt, *prompt);
            assert_eq!(second.max_tokens, (LENGTH - after) as u64);
            let least = 6_u64.saturating_sub(after as u64);
            assert_eq!(second.sampling.min_tokens.unwrap_or(0), least);
            assert_eq!(second.sampling.seed, Some(7));
            fleet.rig.assert_idle();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_before_the_first_token_is_an_ordinary_retry() {
    let whole = undisturbed(request(asked())).await;
    for how in [How::Breaks, How::Fails, How::Refused] {
        let fleet = Fleet::new(&[&[fault(how, 0)], &[]]);
        assert_eq!(fleet.answer(request(asked())).await, whole, "{how:?}");
        let report = fleet.rig.reports.only();
        assert_eq!((report.attempts, report.leg.resumes), (2, None));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_had_all_its_tokens_needs_nobody_else() {
    let whole = undisturbed(request(asked())).await;
    for how in How::MIDWAY {
        let fleet = Fleet::new(&[&[fault(how, LENGTH)], &[]]);
        let told = fleet.answer(request(asked())).await;
        assert_eq!(told, whole, "{how:?}");
        assert_eq!(told.choices[0].finish, Some(TokenFinish::Length));
        assert_eq!(fleet.calls(1).len(), 0, "{how:?}");
        assert_eq!(fleet.rig.reports.all().len(), 1);
        fleet.rig.assert_idle();
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_died_after_a_stop_token_is_not_gone_on_from() {
    let whole = undisturbed(request(call(12))).await;
    let mut asked = call(12);
    asked.sampling.stop_token_ids = vec![whole.ids()[4]];
    let fleet = Fleet::new(&[&[fault(How::Breaks, 5)], &[]]);
    let told = fleet.answer(request(asked)).await;
    assert_eq!(told.ids(), &whole.ids()[..5]);
    let stop = TokenFinish::Stop {
        token: Some(whole.ids()[4]),
    };
    assert_eq!(told.choices[0].finish, Some(stop));
    assert_eq!(fleet.calls(1).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn cost_is_told_once_and_what_is_computed_again_apart() {
    let fleet = Fleet::new(&[&[fault(How::Breaks, 5)], &[fault(How::Hangs, 3)], &[]]);
    let told = fleet.answer(request(call(12))).await;
    assert_eq!(told.end, Ok(used(3, 12)));
    let reports = fleet.rig.reports.all();
    let seen: Vec<_> = reports
        .iter()
        .map(|one| {
            let usage = one.usage.expect("counted");
            let again = one.leg.resumes.map(|taken| taken.recomputed_tokens);
            (
                one.ending,
                usage.completion_tokens,
                again,
                one.leg.counts_prompt(),
            )
        })
        .collect();
    let expected = [
        (Ending::Resumed(How::Breaks.kind()), 5, None, true),
        (Ending::Resumed(How::Hangs.kind()), 3, Some(3 + 5), false),
        (Ending::Completed, 4, Some(3 + 8), false),
    ];
    assert_eq!(seen, expected);
    let ttfts = reports.iter().filter(|one| one.ttft.is_some()).count();
    assert_eq!(ttfts, 1, "the reader's first token came once");
    let gaps: u32 = reports.iter().map(|one| one.gaps.count).sum();
    assert!(
        gaps >= 11,
        "the silence between two engines is a gap: {gaps}"
    );
}

#[tokio::test(start_paused = true)]
async fn engines_that_died_are_marked_and_those_out_of_room_are_not() {
    for how in How::MIDWAY {
        let fleet = Fleet::new(&[&[fault(how, 2)], &[]]);
        fleet.answer(request(call(6))).await;
        let expected = match how {
            How::ThrowsOut => Availability::Up,
            _ => Availability::Open,
        };
        assert_eq!(fleet.rig.availability("a"), expected, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_has_an_id_of_its_own_and_the_time_runs_on() {
    let fleet = Fleet::with(
        &[&[fault(How::Hangs, 2)], &[fault(How::Hangs, 2)]],
        |settings| {
            settings.deadlines.idle = Duration::from_secs(20);
        },
    );
    let mut asked = request(call(6));
    asked.call.request_id = Some("own".to_owned());
    asked.hints.total = Some(Duration::from_secs(30));
    let told = fleet.answer(asked).await;
    assert_eq!(told.error(), "out_of_time");
    assert_eq!(fleet.calls(0)[0].request_id.as_deref(), Some("own"));
    assert_eq!(fleet.calls(1)[0].request_id.as_deref(), Some("own-1"));
    fleet.rig.assert_idle();
}

/// It is asked again only where nobody else is there.
#[tokio::test(start_paused = true)]
async fn an_engine_that_ran_out_of_room_may_go_on_itself() {
    let whole = undisturbed(request(call(9))).await;
    let fleet = Fleet::new(&[&[fault(How::ThrowsOut, 4)]]);
    assert_eq!(fleet.answer(request(call(9))).await, whole);
    assert_eq!(fleet.calls(0).len(), 2);
    fleet.rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_leaves_while_another_engine_is_asked_leaves_nothing_behind() {
    let fleet = Fleet::new(&[&[fault(How::Breaks, 3)], &[fault(How::Hangs, 0)]]);
    let mut reply = fleet.begin(request(call(9))).await.expect("it begins");
    for _ in 0..3 {
        let step = within(reply.events.next()).await;
        assert!(matches!(step, Some(TokenStep::Event(_))));
    }
    let next = tokio::time::timeout(Duration::from_secs(1), reply.events.next());
    assert!(next.await.is_err(), "the second engine hangs");
    assert_eq!(fleet.calls(1).len(), 1);
    drop(reply);
    fleet.rig.assert_idle();
    assert_eq!(fleet.rig.reports.last().ending, Ending::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_has_enough_when_an_engine_dies_troubles_nobody_else() {
    let fleet = Fleet::new(&[&[fault(How::Breaks, 3)], &[]]);
    let mut reply = fleet.begin(request(call(9))).await.expect("it begins");
    for _ in 0..3 {
        within(reply.events.next()).await.expect("a token");
    }
    assert_eq!(reply.events.finish_early(), used(3, 3));
    assert_eq!(fleet.calls(1).len(), 0);
    assert_eq!(fleet.rig.reports.only().ending, Ending::Completed);
    fleet.rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn engines_that_fail_one_after_another_are_all_survived() {
    let whole = undisturbed(request(call(60))).await;
    let fleet = Fleet::new(&[
        &[fault(How::Breaks, 10)],
        &[fault(How::Breaks, 10)],
        &[fault(How::Fails, 10)],
        &[],
    ]);
    let reply = fleet.begin(request(call(60))).await.expect("it begins");
    assert_eq!(read(reply).await, whole);
    fleet.rig.assert_idle();
}
