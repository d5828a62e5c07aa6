use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::{Target, What};
use proptest::prelude::*;

use super::{
    super::{
        Side,
        machine::{Event, Machine, Order, Terms},
    },
    MindIe, RECOMPUTES_AT_MOST,
};
use crate::{ErrorKind, PairFault, Retry, RouteError};

const ROOM: u64 = 0xabc;
const FIRST: &str = "0000000000000abc";

fn machine(streams: bool) -> MindIe {
    let host = [10, 0, 0, 1].into();
    let port = Some(1121);
    handing_to(Some(Target { host, port }), streams)
}

fn handing_to(handed_to: Option<Target>, streams: bool) -> MindIe {
    MindIe::new(Terms {
        room: ROOM,
        bootstrap: ("p".to_owned(), 8998),
        rank: None,
        is_chat: true,
        streams,
        handed_to,
    })
}

fn answer(id: &str, is_last: bool, output: &str) -> Event {
    let told = serde_json::json!({
        "reqId": id, "isStream": true, "isLastResp": is_last, "output": output,
    });
    Event::Prefilled(Ok(told.to_string().into()))
}

fn heard(what: What, body: &'static str) -> Event {
    Event::Heard(Ok((what, Bytes::from_static(body.as_bytes()))))
}

fn failure(kind: ErrorKind, words: &str) -> RouteError {
    RouteError::engine(kind, Retry::OtherEndpoint, words)
}

/// A machine whose prefill leg is out.
fn prefilling() -> MindIe {
    let mut machine = machine(true);
    assert!(matches!(machine.start(), Order::Join(id) if id == FIRST));
    let Order::Prefill(edit) = machine.on(Event::Joined(Ok(()))) else {
        panic!("the prefill leg follows the place")
    };
    let says = |name: &str| {
        let mut headers = edit.headers().iter();
        headers.any(|(known, value)| *known == name && (value == FIRST || value == "10.0.0.1;1121"))
    };
    assert!(says("req-id") && says("d-target"));
    machine
}

fn fault(order: Order) -> (PairFault, Side) {
    match order {
        Order::GiveUp(broken) => (broken.fault, broken.side),
        order => panic!("{order:?}"),
    }
}

fn followed(order: Order) -> (String, bool) {
    match order {
        Order::Follow { head, is_over, .. } => {
            (String::from_utf8_lossy(&head).into_owned(), is_over)
        }
        order => panic!("{order:?}"),
    }
}

#[test]
fn the_first_token_waits_for_the_decode_engines_first_word() {
    let mut machine = prefilling();
    assert!(matches!(
        machine.on(answer(FIRST, false, "one ")),
        Order::Hear
    ));
    let order = machine.on(heard(What::Data, "two "));
    assert_eq!(followed(order), ("one two ".to_owned(), false));
    assert!(matches!(machine.on(Event::Decoding(Ok(()))), Order::Take));
    assert!(matches!(machine.on(Event::Decoding(Ok(()))), Order::Wait));
}

#[test]
fn a_decode_engine_may_be_faster_than_the_prefill_engines_answer() {
    let mut machine = prefilling();
    assert!(matches!(machine.on(heard(What::Last, "two")), Order::Wait));
    let order = machine.on(answer(FIRST, false, "one "));
    assert_eq!(followed(order), ("one two".to_owned(), true));
}

#[test]
fn what_was_over_with_the_first_token_is_taken_over() {
    let mut machine = prefilling();
    let order = machine.on(answer(FIRST, true, "one"));
    assert!(matches!(order, Order::AdoptEvents(events) if *events == *b"one"));
}

#[test]
fn each_failure_has_its_name() {
    let connect = || failure(ErrorKind::Connect, "no");
    let no_place = || Event::Joined(Err(connect()));
    let mut unplaced = machine(true);
    unplaced.start();
    assert_eq!(
        fault(unplaced.on(no_place())),
        (PairFault::DecodeUnreachable, Side::Decode)
    );
    for (event, expected) in [
        (
            Event::Prefilled(Err(connect())),
            (PairFault::PrefillUnreachable, Side::Prefill),
        ),
        (
            Event::Prefilled(Err(failure(
                ErrorKind::EngineFailed,
                "[P Node] Send D request failed:x",
            ))),
            (PairFault::TransferFailed, Side::Neither),
        ),
        (
            answer("another", false, "x"),
            (PairFault::NothingHandedOver, Side::Neither),
        ),
        (
            heard(What::Error, "Pull kv failed irreversibly."),
            (PairFault::TransferFailed, Side::Neither),
        ),
        (
            heard(What::Error, "Failed forward in for infer engine."),
            (PairFault::DecodeFailed, Side::Decode),
        ),
        (
            Event::Heard(Err(failure(ErrorKind::Closed, "broke off"))),
            (PairFault::DecodeFailed, Side::Decode),
        ),
        (
            Event::Heard(Err(failure(ErrorKind::Timeout, "late"))),
            (PairFault::DecodeTimeout, Side::Decode),
        ),
    ] {
        let shown = format!("{event:?}");
        let mut machine = prefilling();
        assert_eq!(fault(machine.on(event)), expected, "{shown}");
        assert!(
            matches!(machine.on(heard(What::Last, "x")), Order::Wait),
            "{shown}"
        );
    }
}

#[test]
fn without_an_address_there_is_no_pair() {
    let mut machine = handing_to(None, true);
    assert_eq!(fault(machine.start()), (PairFault::NoPair, Side::Neither));
}

#[test]
fn a_request_is_begun_anew_a_few_times() {
    let mut machine = prefilling();
    let mut id = FIRST.to_owned();
    for round in 1..=RECOMPUTES_AT_MOST {
        machine.on(answer(&id, false, "t"));
        let Order::Join(next) = machine.on(heard(What::Retry, "{\"again\":1}")) else {
            panic!("round {round}")
        };
        assert_ne!(next, id);
        id = next;
        let Order::Prefill(edit) = machine.on(Event::Joined(Ok(()))) else {
            panic!("round {round}")
        };
        assert!(
            edit.headers()
                .contains(&("is-recompute", "true".to_owned()))
        );
        let body = edit.apply(b"{\"asked\":1}").expect("a body");
        assert_eq!(*body, *b"{\"again\":1}");
    }
    machine.on(answer(&id, false, "t"));
    let over = machine.on(heard(What::Retry, "{}"));
    assert_eq!(fault(over), (PairFault::DecodeFailed, Side::Decode));
}

fn any_event() -> impl Strategy<Value = u8> {
    0_u8..12
}

fn event(number: u8, id: &str) -> Event {
    match number {
        0 => Event::Joined(Ok(())),
        1 => Event::Joined(Err(failure(ErrorKind::Connect, "no"))),
        2 => answer(id, false, "t"),
        3 => answer(id, true, "t"),
        4 => answer("ffff", false, "t"),
        5 => Event::Prefilled(Err(failure(ErrorKind::Timeout, "late"))),
        6 => heard(What::Data, "d"),
        7 => heard(What::Last, "d"),
        8 => heard(What::Error, "no"),
        9 => heard(What::Retry, "{}"),
        10 => Event::Decoding(Ok(())),
        _ => Event::Decoding(Err(failure(ErrorKind::Broken, "no"))),
    }
}

proptest! {
    /// However events come, be it that no engine could cause them.
    #[test]
    fn each_round_has_one_leg_and_nothing_follows_the_end(numbers in proptest::collection::vec(any_event(), 0..24)) {
        let mut machine = machine(true);
        let mut id = FIRST.to_owned();
        let (mut joined, mut sent, mut followed, mut is_over) = (1, 0, 0, false);
        machine.start();
        for number in numbers {
            let order = machine.on(event(number, &id));
            prop_assert!(!is_over || matches!(order, Order::Wait), "{order:?}");
            match order {
                Order::Join(next) => {
                    joined += 1;
                    id = next;
                }
                Order::Prefill(_) => sent += 1,
                Order::Follow { .. } => followed += 1,
                Order::Take => {
                    prop_assert_eq!(followed, 1);
                    is_over = true;
                }
                Order::Adopt(_) | Order::AdoptEvents(_) | Order::GiveUp(_) => is_over = true,
                Order::Hear | Order::Wait => {}
                order => prop_assert!(false, "{order:?}"),
            }
            prop_assert!(sent <= joined && joined <= sent + 1, "a leg for each place");
            prop_assert!(joined <= 1 + RECOMPUTES_AT_MOST && followed <= 1);
        }
    }
}
