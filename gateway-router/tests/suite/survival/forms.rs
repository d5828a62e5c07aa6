//! Answers that are held to a form: engines begin grammars anew, so nothing can be taken up in the middle.

use gateway_router::{ErrorKind, Stuck, TokenRequest, TokenStep, proto::ir::Format};

use super::{
    Fleet, call, read, request, undisturbed, used,
    writer::{How, fault},
};
use crate::common::within;

fn formed(stream: bool, choices: u32) -> TokenRequest {
    let mut asked = call(10);
    asked.format = Format::JsonObject;
    asked.sampling.n = Some(choices);
    let mut asked = request(asked);
    asked.stream = stream;
    asked
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_showed_something_says_why_it_ends() {
    let fleet = Fleet::new(&[&[fault(How::Breaks, 4)], &[]]);
    let mut reply = fleet.begin(formed(true, 1)).await.expect("it begins");
    for _ in 0..4 {
        let step = within(reply.events.next()).await;
        assert!(matches!(step, Some(TokenStep::Event(_))));
    }
    let Some(TokenStep::Failed(error)) = within(reply.events.next()).await else {
        panic!("it cannot go on");
    };
    assert_eq!(error.kind(), ErrorKind::Broken);
    assert_eq!(error.to_api().code.as_deref(), Some("broken_in_form"));
    assert!(within(reply.events.next()).await.is_none(), "one end");
    assert_eq!(fleet.calls(1).len(), 0);
    assert_eq!(fleet.rig.reports.only().stuck, Some(Stuck::Form));
    fleet.rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_seen_is_asked_for_again() {
    for choices in [1, 3] {
        let whole = undisturbed(formed(false, choices)).await;
        for how in How::MIDWAY {
            for after in [1, 9] {
                let fleet = Fleet::new(&[&[fault(how, after)], &[]]);
                let told = fleet.answer(formed(false, choices)).await;
                assert_eq!(told, whole, "{how:?} after {after}");
                assert_eq!(told.end, Ok(used(3, 10 * u64::from(choices))));
                assert_eq!(fleet.calls(1)[0], fleet.calls(0)[0], "the whole call");
                let reports = fleet.rig.reports.all();
                let counted = reports.iter().filter_map(|one| one.usage);
                let counted: u64 = counted.map(|one| one.completion_tokens).sum();
                assert_eq!(counted, 10 * u64::from(choices));
                let again = reports[1].leg.resumes.expect("it starts again");
                assert!(again.recomputed_tokens > 3, "{again:?}");
                fleet.rig.assert_idle();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_starts_again_is_bounded_as_well() {
    let hangs = [fault(How::Hangs, 4)];
    let fleet = Fleet::new(&[&hangs, &hangs, &hangs, &hangs, &[]]);
    let reply = fleet.begin(formed(false, 1)).await.expect("it begins");
    let told = read(reply).await;
    assert_eq!((told.choices.len(), told.error()), (0, "timeout"));
    assert_eq!(fleet.rig.reports.last().stuck, Some(Stuck::Attempts));
    fleet.rig.assert_idle();
}

/// A form that is only asked for later is no hindrance.
#[tokio::test(start_paused = true)]
async fn a_call_without_a_form_of_its_own_goes_on() {
    let mut asked = request(call(10));
    asked.call.later_format = Some(Format::JsonObject);
    let whole = undisturbed(asked.clone()).await;
    let fleet = Fleet::new(&[&[fault(How::Breaks, 4)], &[]]);
    assert_eq!(fleet.answer(asked).await, whole);
    assert_eq!(fleet.calls(1)[0].later_format, Some(Format::JsonObject));
}
