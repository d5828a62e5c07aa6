//! Every event in every state of every connector's machine, and what holds whatever happens.

use bytes::Bytes;
use gateway_proto::engines::transfer::{
    Connector,
    mindie::{Target, What},
};
use proptest::prelude::*;

use super::{
    Side,
    machine::{self, Event, Machine, Order, Terms},
};
use crate::{ErrorKind, PairFault, Retry, RouteError};

/// What can come of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// The bootstrap port names an engine, or nobody, or fails.
    Told(bool),
    NotTold(ErrorKind),
    /// Prefill hands over, or has finished the answer, or does neither, or fails.
    HandedOver,
    Finished,
    Nothing,
    NotPrefilled(ErrorKind),
    Decoding,
    NotDecoding(ErrorKind),
    /// The engine says so itself.
    Blamed,
    /// There is a place among those whom the decode engine answers, or none.
    Joined,
    NotJoined(ErrorKind),
    /// What the decode engine says there first.
    Heard(What),
    NotHeard(ErrorKind),
}

use Came::{
    Blamed, Decoding, Finished, HandedOver, Heard, Joined, NotDecoding, NotHeard, NotJoined,
    NotPrefilled, NotTold, Nothing, Told,
};

const CONNECT: ErrorKind = ErrorKind::Connect;
const FAILED: ErrorKind = ErrorKind::EngineFailed;
const REFUSED: ErrorKind = ErrorKind::Rejected;
const TIMEOUT: ErrorKind = ErrorKind::Timeout;

const ALL: [Came; 24] = [
    Told(true),
    Told(false),
    NotTold(CONNECT),
    NotTold(FAILED),
    HandedOver,
    Finished,
    Nothing,
    NotPrefilled(CONNECT),
    NotPrefilled(FAILED),
    NotPrefilled(TIMEOUT),
    Decoding,
    NotDecoding(CONNECT),
    NotDecoding(FAILED),
    NotDecoding(REFUSED),
    NotDecoding(TIMEOUT),
    NotDecoding(ErrorKind::OutOfTime),
    Blamed,
    Joined,
    NotJoined(CONNECT),
    Heard(What::Data),
    Heard(What::Last),
    Heard(What::Retry),
    Heard(What::Error),
    NotHeard(TIMEOUT),
];

fn failed<T>(kind: ErrorKind, words: &str) -> Result<T, RouteError> {
    Err(RouteError::engine(kind, Retry::OtherEndpoint, words))
}

fn answer<T: From<Bytes>>(text: &'static str) -> Result<T, RouteError> {
    Ok(Bytes::from_static(text.as_bytes()).into())
}

/// The event, in the words of the connector's engines.
fn event(connector: Connector, came: Came) -> Event {
    let handed_over = match connector {
        Connector::TrtLlm => {
            r#"{"choices":[{"finish_reason":"length","disaggregated_params":{"ctx_request_id":1}}]}"#
        }
        Connector::MindIe => r#"{"reqId":"0000000000000007","isStream":true,"output":"one"}"#,
        _ => {
            r#"{"kv_transfer_params":{"do_remote_prefill":true,"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1}}"#
        }
    };
    let finished = match connector {
        Connector::MindIe => {
            r#"{"reqId":"0000000000000007","isStream":true,"isLastResp":true,"output":"all"}"#
        }
        _ => r#"{"choices":[{"finish_reason":"stop"}]}"#,
    };
    match came {
        Told(true) => Event::Told(answer(r#"{"0":{"engine_id":"e"}}"#)),
        Told(false) => Event::Told(answer("{}")),
        NotTold(kind) => Event::Told(failed(kind, "no")),
        HandedOver => Event::Prefilled(answer(handed_over)),
        Finished => Event::Prefilled(answer(finished)),
        Nothing => Event::Prefilled(answer(r#"{"choices":[]}"#)),
        NotPrefilled(kind) => Event::Prefilled(failed(kind, "no")),
        Decoding => Event::Decoding(Ok(())),
        NotDecoding(kind) => Event::Decoding(failed(kind, "no")),
        Joined => Event::Joined(Ok(())),
        NotJoined(kind) => Event::Joined(failed(kind, "no")),
        Heard(what) => Event::Heard(Ok((what, Bytes::from_static(b"words")))),
        NotHeard(kind) => Event::Heard(failed(kind, "no")),
        Blamed => Event::Decoding(failed(FAILED, "Decode transfer failed for rid")),
    }
}

fn machine(connector: Connector) -> Box<dyn Machine> {
    let terms = Terms {
        room: 7,
        bootstrap: ("p".to_owned(), 8998),
        rank: None,
        is_chat: true,
        streams: true,
        handed_to: Some(Target {
            host: [10, 0, 0, 9].into(),
            port: None,
        }),
    };
    machine::of(connector, terms)
}

/// An order without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Ask,
    Prefill,
    Decode,
    Both,
    Join,
    Hear,
    Follow,
    Wait,
    Take,
    Adopt,
    GiveUp(PairFault, Side),
}

use Said::{Adopt, Ask, Both, Decode, Follow, GiveUp, Hear, Join, Prefill, Take, Wait};

impl From<Order> for Said {
    fn from(order: Order) -> Self {
        match order {
            Order::Ask => Ask,
            Order::Prefill(_) => Prefill,
            Order::Decode(_) => Decode,
            Order::Both { .. } => Both,
            Order::Join(_) => Join,
            Order::Hear => Hear,
            Order::Follow { .. } => Follow,
            Order::Wait => Wait,
            Order::Take => Take,
            Order::Adopt(_) | Order::AdoptEvents(_) => Adopt,
            Order::GiveUp(broken) => GiveUp(broken.fault, broken.side),
        }
    }
}

/// What is said to `came` after what came `before`.
fn said(connector: Connector, before: &[Came], came: Came) -> Said {
    let mut machine = machine(connector);
    machine.start();
    for came in before {
        machine.on(event(connector, *came));
    }
    machine.on(event(connector, came)).into()
}

/// In the state that `before` leads to, all that is not named is waited through.
fn state(connector: Connector, before: &[Came], answered: &[(Came, Said)]) {
    for came in ALL {
        let named = answered.iter().find(|(event, _)| *event == came);
        let expected = named.map_or(Wait, |(_, said)| *said);
        assert_eq!(
            said(connector, before, came),
            expected,
            "{connector:?} after {before:?}: {came:?}"
        );
    }
}

const NOTHING: Said = GiveUp(PairFault::NothingHandedOver, Side::Neither);
const UNREACHED: Said = GiveUp(PairFault::PrefillUnreachable, Side::Prefill);
const PREFILL_FAILED: Said = GiveUp(PairFault::PrefillFailed, Side::Prefill);
const PREFILL_LATE: Said = GiveUp(PairFault::PrefillTimeout, Side::Prefill);
const TRANSFER: Said = GiveUp(PairFault::TransferFailed, Side::Neither);
const SILENT: Said = GiveUp(PairFault::TransferTimeout, Side::Either);

const PREFILL_FAILS: [(Came, Said); 3] = [
    (NotPrefilled(CONNECT), UNREACHED),
    (NotPrefilled(FAILED), PREFILL_FAILED),
    (NotPrefilled(TIMEOUT), PREFILL_LATE),
];

/// What a decode leg that is out may come to, before prefill is done with its own and after.
fn decode_ends(it: Connector, is_prefilled: bool) -> Vec<(Came, Said)> {
    let decode = |fault| GiveUp(fault, Side::Decode);
    let fetching = GiveUp(PairFault::DecodeFailed, Side::Fetching);
    let has_words = it == Connector::Sglang;
    let blamed = |is_clear| {
        if is_clear {
            decode(PairFault::DecodeFailed)
        } else {
            fetching
        }
    };
    vec![
        (Decoding, Take),
        (NotDecoding(CONNECT), decode(PairFault::DecodeUnreachable)),
        (NotDecoding(FAILED), blamed(has_words)),
        (NotDecoding(REFUSED), blamed(has_words || !is_prefilled)),
        (NotDecoding(TIMEOUT), decode(PairFault::DecodeTimeout)),
        (
            NotDecoding(ErrorKind::OutOfTime),
            decode(PairFault::DecodeTimeout),
        ),
        (Blamed, TRANSFER),
    ]
}

/// What ends a hand-over in the last state there is.
const ENDS: [Came; 2] = [Decoding, NotDecoding(FAILED)];

#[test]
fn nixl() {
    let it = Connector::Nixl;
    assert_eq!(Said::from(machine(it).start()), Prefill);
    let mut prefilling = PREFILL_FAILS.to_vec();
    prefilling.extend([
        (HandedOver, Decode),
        (Finished, NOTHING),
        (Nothing, NOTHING),
    ]);
    state(it, &[], &prefilling);
    state(it, &[HandedOver], &decode_ends(it, true));
    for end in ENDS {
        state(it, &[HandedOver, end], &[]);
    }
    state(it, &[Nothing], &[]);
    state(it, &[NotPrefilled(FAILED)], &[]);
}

#[test]
fn trtllm() {
    let it = Connector::TrtLlm;
    assert_eq!(Said::from(machine(it).start()), Prefill);
    let mut prefilling = PREFILL_FAILS.to_vec();
    prefilling.extend([(HandedOver, Decode), (Finished, Adopt), (Nothing, NOTHING)]);
    state(it, &[], &prefilling);
    state(it, &[HandedOver], &decode_ends(it, true));
    for end in ENDS {
        state(it, &[HandedOver, end], &[]);
    }
    for end in [Finished, Nothing, NotPrefilled(FAILED)] {
        state(it, &[end], &[]);
    }
}

/// Both legs of `it` are out once `before` has come.
fn both_out(it: Connector, before: &[Came]) {
    let after = |more: &[Came]| [before, more].concat();
    let silent = [
        (NotPrefilled(TIMEOUT), SILENT),
        (NotDecoding(TIMEOUT), SILENT),
    ];
    let mut answered = silent.to_vec();
    answered.extend(PREFILL_FAILS);
    answered.extend(decode_ends(it, false));
    state(it, before, &answered);
    // Prefill has done its part: who is silent now is the other.
    let mut answered = PREFILL_FAILS.to_vec();
    answered.extend(decode_ends(it, true));
    for done in [HandedOver, Finished, Nothing] {
        state(it, &after(&[done]), &answered);
        for end in ENDS {
            state(it, &after(&[done, end]), &[]);
        }
    }
    for end in [Decoding, NotDecoding(FAILED), NotPrefilled(FAILED), Blamed] {
        state(it, &after(&[end]), &[]);
    }
}

#[test]
fn sglang() {
    assert_eq!(Said::from(machine(Connector::Sglang).start()), Both);
    both_out(Connector::Sglang, &[]);
}

#[test]
fn mooncake() {
    let it = Connector::Mooncake;
    assert_eq!(Said::from(machine(it).start()), Ask);
    let asking = [
        (Told(true), Both),
        (Told(false), NOTHING),
        (NotTold(CONNECT), UNREACHED),
        (NotTold(FAILED), PREFILL_FAILED),
    ];
    state(it, &[], &asking);
    both_out(it, &[Told(true)]);
    for end in [Told(false), NotTold(FAILED)] {
        state(it, &[end], &[]);
    }
}

proptest! {
    /// However events come, be it that no engine could cause them.
    #[test]
    fn a_hand_over_ends_once_and_has_one_leg_of_each_kind(
        connector in proptest::sample::select(Connector::ALL.to_vec()),
        events in proptest::collection::vec(proptest::sample::select(ALL.to_vec()), 0..12),
    ) {
        let mut machine = machine(connector);
        let mut orders = vec![Said::from(machine.start())];
        for came in &events {
            let said = Said::from(machine.on(event(connector, *came)));
            if said == Take {
                prop_assert_eq!(*came, Decoding);
            }
            orders.push(said);
        }
        let sent = |wanted: fn(&Said) -> bool| orders.iter().filter(|said| wanted(said)).count();
        let decodes = sent(|said| matches!(said, Decode | Both | Follow));
        prop_assert!(decodes <= 1, "{:?}", orders);
        // A request that MindIE's decode engine has thrown out is begun anew, so often and no more.
        let prefills = if connector == Connector::MindIe { 4 } else { 1 };
        prop_assert!(sent(|said| matches!(said, Prefill | Both)) <= prefills, "{:?}", orders);
        prop_assert!(sent(|said| *said == Take) <= decodes, "{:?}", orders);
        let end = orders.iter().position(|said| matches!(said, Take | Adopt | GiveUp(..)));
        if let Some(end) = end {
            prop_assert!(orders[end + 1..].iter().all(|said| *said == Wait), "{:?}", orders);
        }
    }
}
