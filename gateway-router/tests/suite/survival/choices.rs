//! Several choices in one call, and faults at random.

use gateway_router::{Ending, TokenRequest, proto::ir::LogprobsAsked};
use proptest::prelude::*;

use super::{
    Fleet, Told, call, request, undisturbed, used,
    writer::{Fault, How, fault},
};

fn several(choices: u32, length: u64) -> TokenRequest {
    let mut asked = call(length);
    asked.sampling.n = Some(choices);
    asked.sampling.seed = Some(11);
    asked.logprobs = Some(LogprobsAsked { top: 0 });
    request(asked)
}

#[tokio::test(start_paused = true)]
async fn each_choice_goes_on_in_a_call_of_its_own() {
    let whole = undisturbed(several(3, 8)).await;
    assert_eq!(whole.choices.len(), 3);
    assert_ne!(whole.choices[0].ids, whole.choices[1].ids);
    for how in How::MIDWAY {
        for after in 1..8 {
            let fleet = Fleet::new(&[&[fault(how, after)], &[]]);
            let told = fleet.answer(several(3, 8)).await;
            assert_eq!(told, whole, "{how:?} after {after}");
            assert_eq!(told.end, Ok(used(3, 24)));
            let taken = fleet.calls(1);
            // Of those that are thrown out one after another the last may have come to its end before.
            let expected = match how {
                How::ThrowsOut => 3.min(8 - after),
                _ => 3,
            };
            assert_eq!(taken.len(), expected, "{how:?} after {after}");
            assert!(taken.iter().all(|call| call.choices() == 1));
            fleet.rig.assert_idle();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn choices_that_are_over_are_not_taken_up() {
    let whole = undisturbed(several(3, 40)).await;
    let mut asked = several(3, 40);
    // Only the first choice writes it there.
    let first = whole.choices[0].ids[5];
    asked.call.sampling.stop_token_ids = vec![first];
    let length = |told: &Told, choice: usize| told.choices[choice].ids.len();
    let stopped = undisturbed(asked.clone()).await;
    let open = (0..3)
        .filter(|&choice| length(&stopped, choice) > 30)
        .count();
    let fleet = Fleet::new(&[&[fault(How::Breaks, 30)], &[]]);
    assert_eq!(fleet.answer(asked).await, stopped);
    assert!(open < 3, "a choice has ended");
    assert_eq!(fleet.calls(1).len(), open);
    fleet.rig.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn one_choice_that_nobody_can_go_on_with_ends_them_all() {
    // The first of the three calls that take it up fails twice.
    let faults: &[Fault] = &[fault(How::Hangs, 2)];
    let fleet = Fleet::with(&[&[fault(How::Hangs, 4)], faults, &[]], |settings| {
        settings.migration.attempts = 1;
    });
    let told = fleet.answer(several(3, 8)).await;
    assert_eq!(told.error(), "timeout");
    let reports = fleet.rig.reports.all();
    let failed = |ending| matches!(ending, Ending::Failed(_));
    assert_eq!(reports.iter().filter(|one| failed(one.ending)).count(), 1);
    fleet.rig.assert_idle();
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let how = prop_oneof![
        Just(How::Breaks),
        Just(How::Fails),
        Just(How::Hangs),
        Just(How::ThrowsOut),
        Just(How::Refused)
    ];
    (how, 0_usize..24).prop_map(|(how, after)| Fault { after, how })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever fails: all of it, or the beginning of it and one error. Nothing is left behind.
    #[test]
    fn whatever_fails_nothing_is_lost_or_told_twice(
        faults in prop::collection::vec(prop::collection::vec(any_fault(), 0..4), 1..5),
        choices in 1_u32..4,
        length in 1_u64..24,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let whole = undisturbed(several(choices, length)).await;
            let faults: Vec<&[Fault]> = faults.iter().map(Vec::as_slice).collect();
            let fleet = Fleet::new(&faults);
            if let Ok(reply) = fleet.begin(several(choices, length)).await {
                let told = super::read(reply).await;
                if told.end.is_ok() {
                    assert_eq!(told, whole);
                } else {
                    for (told, whole) in told.choices.iter().zip(&whole.choices) {
                        assert!(whole.ids.starts_with(&told.ids), "{told:?} of {whole:?}");
                    }
                }
            }
            fleet.rig.assert_idle();
        });
    }
}
