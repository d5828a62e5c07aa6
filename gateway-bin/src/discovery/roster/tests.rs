//! Lists of several sources, and who leaves.

use std::{path::Path, sync::Arc};

use gateway_core::{Timestamp, load::Demand};

use super::*;
use crate::config::{Environment, read_endpoints};

fn list(entries: &[(&str, u16)]) -> Vec<EndpointConfig> {
    if entries.is_empty() {
        return Vec::new();
    }
    let lines = entries.iter();
    let text: String = lines
        .map(|(name, port)| {
            format!("- {{name: {name}, url: \"http://h:{port}\", kind: openai, models: [m]}}\n")
        })
        .collect();
    read_endpoints(&text, Path::new("list.yaml"), &Environment::empty()).expect("valid")
}

fn fleet(roster: &Roster, before: &Fleet) -> Fleet {
    let specs = roster.endpoints().into_iter().map(|one| one.settings.spec);
    before.with_endpoints(specs).expect("a fleet")
}

fn nobody() -> Fleet {
    Fleet::new([]).expect("an empty fleet")
}

fn told(roster: &Roster) -> Vec<String> {
    let (endpoints, _) = roster.status();
    let line = |one: EndpointStatus| format!("{} {} {}", one.name, one.source, one.state);
    endpoints.into_iter().map(line).collect()
}

#[test]
fn the_first_to_list_a_name_or_an_engine_counts() {
    let mut roster = Roster::default();
    let found = vec![
        ("dns", list(&[("x", 1), ("a", 7), ("w", 8)])),
        ("file", list(&[("z", 8), ("v", 7)])),
    ];
    roster.merge(&list(&[("a", 1), ("b", 2)]), found, &nobody());
    assert_eq!(
        told(&roster),
        [
            "a config listed",
            "b config listed",
            "w dns listed",
            "v file listed"
        ],
        "whoever gives way has no engine"
    );
    assert_eq!(roster.status().1, 3);
}

#[test]
fn what_gave_way_is_removed_and_the_other_of_its_name_stays_drained() {
    let mut roster = Roster::default();
    roster.change(Change::Add(list(&[("b", 2)]))).expect("new");
    let fixed = list(&[("b", 9)]);
    roster.merge(&fixed, Vec::new(), &nobody());
    roster.change(Change::Drain("b".into())).expect("known");
    roster.change(Change::Remove("b".into())).expect("added");
    roster.merge(&fixed, Vec::new(), &nobody());
    assert_eq!(told(&roster), ["b config drained"]);
}

#[test]
fn who_is_gone_leaves_when_it_has_nothing_in_flight() {
    let mut roster = Roster::default();
    roster.merge(&list(&[("a", 1), ("b", 2)]), Vec::new(), &nobody());
    let first = fleet(&roster, &nobody());
    let busy = Arc::clone(first.by_name("a").expect("listed").state());
    let booking = busy.book(&Demand::default(), Timestamp::from_micros(1));
    roster.merge(&[], Vec::new(), &first);
    assert_eq!(told(&roster), ["a config leaving"], "b has nothing to end");
    let second = fleet(&roster, &first);
    roster.tell(&second);
    assert!(
        !busy.availability(Timestamp::from_micros(2)).is_up(),
        "no new requests"
    );
    assert!(!roster.sweep(&second, Duration::from_secs(60)) && roster.is_waiting());
    drop(booking);
    assert!(roster.sweep(&second, Duration::from_secs(60)) && !roster.is_waiting());
}

#[test]
fn who_comes_back_before_it_has_left_is_used_again() {
    let mut roster = Roster::default();
    let one = list(&[("a", 1)]);
    roster.merge(&one, Vec::new(), &nobody());
    let fleet = fleet(&roster, &nobody());
    let state = fleet.by_name("a").expect("listed").state();
    let _booking = state.book(&Demand::default(), Timestamp::from_micros(1));
    roster.merge(&[], Vec::new(), &fleet);
    roster.tell(&fleet);
    roster.merge(&one, Vec::new(), &fleet);
    roster.tell(&fleet);
    assert!(state.availability(Timestamp::from_micros(2)).is_up());
    assert_eq!(told(&roster), ["a config listed"]);
}

#[test]
fn who_takes_too_long_is_let_go() {
    let mut roster = Roster::default();
    roster.merge(&list(&[("a", 1)]), Vec::new(), &nobody());
    let fleet = fleet(&roster, &nobody());
    let state = fleet.by_name("a").expect("listed").state();
    let _booking = state.book(&Demand::default(), Timestamp::from_micros(1));
    roster.merge(&[], Vec::new(), &fleet);
    assert!(roster.sweep(&fleet, Duration::ZERO));
}

#[test]
fn operators_add_drain_resume_and_remove_what_they_added() {
    let mut roster = Roster::default();
    let fixed = list(&[("a", 1)]);
    let merge = |roster: &mut Roster| roster.merge(&fixed, Vec::new(), &nobody());
    merge(&mut roster);
    roster.change(Change::Add(list(&[("b", 2)]))).expect("new");
    merge(&mut roster);
    let taken = roster
        .change(Change::Add(list(&[("b", 3)])))
        .expect_err("taken");
    assert!(matches!(taken, ChangeError::Taken(_)));
    let twin = roster
        .change(Change::Add(list(&[("c", 1)])))
        .expect_err("the engine is listed");
    assert!(matches!(twin, ChangeError::SameEngine(name) if name == "a"));
    roster.change(Change::Drain("a".into())).expect("known");
    merge(&mut roster);
    assert_eq!(told(&roster), ["a config drained", "b admin listed"]);
    roster.change(Change::Resume("a".into())).expect("known");
    let not_added = roster
        .change(Change::Remove("a".into()))
        .expect_err("of the configuration");
    assert!(matches!(not_added, ChangeError::NotAdded(_)));
    let unknown = roster
        .change(Change::Drain("c".into()))
        .expect_err("unknown");
    assert!(matches!(unknown, ChangeError::Unknown(_)));
    roster.change(Change::Remove("b".into())).expect("added");
    merge(&mut roster);
    assert_eq!(told(&roster), ["a config listed"]);
}

#[test]
fn who_was_added_and_gives_way_to_another_list_can_be_removed_and_is_not_added_twice() {
    let mut roster = Roster::default();
    let added = roster.change(Change::Add(list(&[("b", 1)])));
    added.expect("new");
    // A reload lists the same engine, and the same name elsewhere.
    for fixed in [list(&[("a", 1)]), list(&[("b", 9)])] {
        roster.merge(&fixed, Vec::new(), &nobody());
        assert_eq!(roster.status().1, 1, "the one that was added gives way");
        let again = roster.change(Change::Add(list(&[("b", 7)])));
        assert!(matches!(again, Err(ChangeError::Taken(name)) if name == "b"));
    }
    roster.change(Change::Remove("b".into())).expect("added");
    roster.merge(&[], Vec::new(), &nobody());
    assert_eq!(told(&roster), [""; 0]);
    let gone = roster.change(Change::Remove("b".into()));
    assert!(matches!(gone, Err(ChangeError::Unknown(_))));
}

#[test]
fn whose_events_could_not_be_told_from_those_of_others_is_not_listed() {
    let heard = |name: &str, port, topic: &str| {
        let feed = format!("{{address: \"tcp://*:5557\", bind: true, topic: {topic}}}");
        let text = format!("- {{name: {name}, url: \"http://h:{port}\", kv_events: {feed}}}\n");
        read_endpoints(&text, Path::new("list.yaml"), &Environment::empty()).expect("valid")
    };
    let mut roster = Roster::default();
    let found = vec![
        ("first", heard("b", 2, "kv-a")),
        ("second", heard("c", 3, "kv-c")),
    ];
    roster.merge(&heard("a", 1, "kv-a"), found, &nobody());
    assert_eq!(told(&roster), ["a config listed", "c second listed"]);
    let refused = roster.change(Change::Add(heard("d", 4, "kv-c")));
    assert!(matches!(refused, Err(ChangeError::SameFeed(name)) if name == "c"));
    let added = roster.change(Change::Add(heard("d", 4, "kv-d")));
    added.expect("told apart");
}

#[test]
fn who_is_drained_stays_so_while_a_source_misses_it_and_names_do_not_pile_up() {
    let mut roster = Roster::default();
    let merge = |roster: &mut Roster, entries: &[(&str, u16)]| {
        roster.merge(&list(entries), Vec::new(), &nobody());
    };
    for n in 0..2 * DRAINED_AT_MOST {
        let name = format!("pod-{n}");
        merge(&mut roster, &[(&name, 1)]);
        roster.change(Change::Drain(name)).expect("known");
    }
    assert!(roster.drained.len() <= DRAINED_AT_MOST);
    let last = format!("pod-{}", 2 * DRAINED_AT_MOST - 1);
    merge(&mut roster, &[]);
    merge(&mut roster, &[(&last, 1)]);
    assert_eq!(told(&roster), [format!("{last} config drained")]);
}
