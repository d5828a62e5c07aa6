//! What the queue promises, case by case; `oracle` holds it against plain lists.

mod oracle;

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{EndpointId, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(0);

fn class(name: &str, from: i8, share: f32) -> Class {
    Class {
        name: name.to_owned(),
        from,
        requests: 1_000,
        tokens: 1_000_000,
        wait_at_most: Duration::from_secs(30),
        share,
    }
}

fn policy(limits: QueueLimits, classes: Vec<Class>) -> Arc<AdmissionPolicy> {
    Arc::new(AdmissionPolicy::new(limits, classes).expect("makes sense"))
}

fn limits(requests: u32, quantum_tokens: u32) -> QueueLimits {
    QueueLimits {
        requests,
        quantum_tokens,
        ..QueueLimits::default()
    }
}

fn three(share: f32) -> Arc<AdmissionPolicy> {
    let classes = vec![
        class("low", -100, 0.0),
        class("normal", 0, share),
        class("high", 1, 0.0),
    ];
    policy(limits(1_000, 100), classes)
}

fn arrival(priority: i8, flow: u64, tokens: u64) -> Arrival {
    Arrival {
        priority,
        flow,
        tokens,
        goes_on: false,
    }
}

fn going_on(flow: u64, tokens: u64) -> Arrival {
    Arrival {
        goes_on: true,
        ..arrival(-9, flow, tokens)
    }
}

fn joins<T>(queue: &mut Queue<T>, arrival: Arrival, value: T) -> Ticket {
    queue.join(arrival, value, NOW).expect("a place").ticket
}

/// Serves one at a time until nobody is left.
fn drained<T: Clone>(queue: &mut Queue<T>) -> Vec<T> {
    let mut order = Vec::new();
    while !queue.is_empty() {
        if queue.turn().is_none() {
            queue.news();
        }
        let (ticket, value) = queue.turn().expect("somebody waits");
        order.push(value.clone());
        queue.serve(ticket, NOW);
    }
    order
}

#[test]
fn classes_go_by_priority_and_a_flow_in_its_own_order() {
    let mut queue = Queue::new(three(0.0), Ticket::default(), NOW);
    for (priority, name) in [
        (-9, "first"),
        (-5, "low"),
        (0, "n1"),
        (0, "n2"),
        (3, "h1"),
        (9, "h2"),
    ] {
        joins(&mut queue, arrival(priority, 7, 10), name);
    }
    assert_eq!(
        drained(&mut queue),
        ["first", "h1", "h2", "n1", "n2", "low"]
    );
}

#[test]
fn who_comes_later_with_more_priority_takes_the_place_at_the_door() {
    let mut queue = Queue::new(three(0.0), Ticket::default(), NOW);
    let tickets: Vec<_> = (0..20)
        .map(|n| joins(&mut queue, arrival(-1, n, 10), n))
        .collect();
    let first = queue.turn().expect("somebody tries").0;
    assert_eq!(first, tickets[0]);
    let high = joins(&mut queue, arrival(5, 99, 10), 99);
    queue.stands(first, Box::default());
    assert_eq!(queue.turn().expect("next").0, high, "ahead of those behind");
    assert_eq!(drained(&mut queue)[..3], [99, 1, 2]);
}

#[test]
fn a_share_keeps_a_class_from_starving_and_no_share_does_not() {
    for (share, expected) in [(0.2, 14..=18), (0.0, 0..=0)] {
        let mut queue = Queue::new(three(share), Ticket::default(), NOW);
        for n in 0..100 {
            joins(&mut queue, arrival(1, n % 3, 50), "high");
            joins(&mut queue, arrival(0, n % 3, 50), "normal");
        }
        let mut order = drained(&mut queue);
        order.truncate(100);
        let normal = order.iter().filter(|&&name| name == "normal").count();
        assert!(expected.contains(&normal), "{share}: {normal}");
    }
}

#[test]
fn flows_take_turns_by_tokens_not_by_requests() {
    let mut queue = Queue::new(three(0.0), Ticket::default(), NOW);
    for _ in 0..200 {
        joins(&mut queue, arrival(0, 1, 400), 1);
        joins(&mut queue, arrival(0, 2, 50), 2);
    }
    // The first few came to the door before there was anybody to take turns with.
    let order = drained(&mut queue).split_off(8);
    let order = &order[..90];
    let large = order.iter().filter(|&&flow| flow == 1).count();
    assert!((9..=11).contains(&large), "80 small for 10 large: {large}");
}

#[test]
fn bounds_hold_and_the_least_and_newest_go_first() {
    let classes = vec![class("low", -100, 0.0), class("normal", 0, 0.0)];
    let mut queue = Queue::new(policy(limits(4, 100), classes), Ticket::default(), NOW);
    for (priority, name) in [(-1, "a"), (-9, "b"), (-9, "c"), (0, "d")] {
        joins(&mut queue, arrival(priority, 1, 10), name);
    }
    let refused = queue.join(arrival(-9, 1, 10), "e", NOW);
    refused.expect_err("no more than those that are there");
    let shed = |queue: &mut Queue<_>, priority, name| {
        queue
            .join(arrival(priority, 1, 10), name, NOW)
            .expect("a place is made")
            .shed
    };
    assert_eq!(shed(&mut queue, -2, "f"), ["c"]);
    assert_eq!(shed(&mut queue, 0, "g"), ["b"]);
    assert_eq!(shed(&mut queue, 0, "h"), ["f"]);
    assert_eq!(shed(&mut queue, 0, "i"), ["a"]);
    let refused = queue.join(arrival(100, 1, 10), "j", NOW);
    refused.expect_err("what is not negative is never given up");
    assert_eq!(drained(&mut queue), ["d", "g", "h", "i"]);
}

#[test]
fn one_request_larger_than_the_bound_may_wait_alone() {
    let mut small = class("only", 0, 0.0);
    small.tokens = 100;
    let mut queue = Queue::new(policy(limits(10, 10), vec![small]), Ticket::default(), NOW);
    joins(&mut queue, arrival(0, 1, 5_000), "large");
    let refused = queue.join(arrival(0, 2, 1), "more", NOW);
    refused.expect_err("beside it nothing fits");
    assert_eq!(drained(&mut queue), ["large"]);
}

#[test]
fn those_behind_try_too_and_know_what_is_promised() {
    let (one, two) = (EndpointId(1), EndpointId(2));
    let mut queue = Queue::new(three(0.0), Ticket::default(), NOW);
    let tickets = [1, 2, 3].map(|flow| joins(&mut queue, arrival(0, flow, 10), flow));
    let turn = |queue: &Queue<u64>| queue.turn().map(|(ticket, _)| ticket);
    assert_eq!(turn(&queue), Some(tickets[0]));
    queue.stands(tickets[0], Box::new([one]));
    assert_eq!(turn(&queue), Some(tickets[1]));
    assert_eq!(queue.promised(tickets[1]), [one]);
    queue.stands(tickets[1], Box::new([one, two]));
    assert_eq!(queue.promised(tickets[2]), [one, two]);
    queue.news();
    queue.stands(tickets[2], Box::new([two]));
    assert_eq!(turn(&queue), Some(tickets[0]), "news began another round");
    queue.serve(tickets[0], NOW);
    assert_eq!(turn(&queue), Some(tickets[1]));
    queue.leave(tickets[1]);
    assert_eq!(turn(&queue), Some(tickets[2]));
    assert!(queue.promised(tickets[2]).is_empty());
    queue.stands(tickets[2], Box::new([two]));
    assert_eq!(turn(&queue), None, "until there is news");
    queue.news();
    assert_eq!(turn(&queue), Some(tickets[2]));
}

#[test]
fn whoever_is_refused_is_told_when_as_measured() {
    let classes = vec![class("normal", 0, 0.0), class("high", 1, 0.0)];
    let mut queue = Queue::new(policy(limits(50, 100), classes), Ticket::default(), NOW);
    for n in 0..49 {
        joins(&mut queue, arrival(0, n, 100), ());
    }
    joins(&mut queue, arrival(1, 0, 100), ());
    let refused = queue.join(arrival(0, 1, 100), (), NOW).expect_err("full");
    assert_eq!(refused.retry_after, None, "nothing is known yet");
    let mut now = NOW;
    for _ in 0..40 {
        now = now.after(Duration::from_millis(250));
        let ticket = queue.turn().expect("somebody").0;
        queue.serve(ticket, now);
        joins(&mut queue, arrival(0, 1, 100), ());
    }
    // 400 tokens a second, and 50 times 100 ahead.
    let refused = queue.join(arrival(0, 1, 100), (), now).expect_err("full");
    let wait = refused.retry_after.expect("measured").as_secs_f64();
    assert!((11.5..13.5).contains(&wait), "{wait}");
    assert_eq!(
        queue.wait_of(1, now),
        Some(Duration::ZERO),
        "nobody is ahead"
    );
}

#[test]
fn policies_that_make_no_sense_are_refused() {
    let new = |limits, classes| AdmissionPolicy::new(limits, classes).expect_err("refused");
    let normal = || class("normal", 0, 0.0);
    assert_eq!(new(QueueLimits::default(), vec![]), PolicyError::NoClass);
    let twice = PolicyError::Twice("normal".to_owned());
    assert_eq!(new(QueueLimits::default(), vec![normal(), normal()]), twice);
    assert_eq!(new(limits(0, 1), vec![normal()]), PolicyError::ZeroBound);
    assert_eq!(new(limits(1, 0), vec![normal()]), PolicyError::ZeroBound);
    for share in [-0.1, 1.1, f32::NAN] {
        let odd = vec![class("odd", 0, share)];
        assert_eq!(new(QueueLimits::default(), odd), PolicyError::Shares);
    }
    let both = vec![class("a", 0, 0.6), class("b", 1, 0.6)];
    assert_eq!(new(QueueLimits::default(), both), PolicyError::Shares);
    let default = AdmissionPolicy::default();
    let again = AdmissionPolicy::new(*default.limits(), default.classes().to_vec());
    assert_eq!(again.as_ref(), Ok(&default));
    assert_eq!(default.class_of(-128), 2);
}

#[test]
fn answers_that_are_taken_up_go_first_and_are_given_up_for_nobody() {
    let classes = vec![class("low", -100, 0.0), class("normal", 0, 0.3)];
    let mut queue = Queue::new(policy(limits(12, 100), classes), Ticket::default(), NOW);
    for n in 0..12 {
        joins(&mut queue, arrival(0, n, 10), "new");
    }
    queue
        .join(arrival(9, 1, 10), "more", NOW)
        .expect_err("all is full");
    for name in ["first", "second", "third"] {
        joins(&mut queue, going_on(7, 10), name);
    }
    let (trying, value) = queue.turn().expect("somebody tries");
    assert_eq!(*value, "new", "it came when nobody was before it");
    queue.stands(trying, Box::default());
    let ninth = queue.join(going_on(7, 10), "fourth", NOW).expect("a place");
    assert!(ninth.shed.is_empty(), "what is new is not given up either");
    assert!(
        ninth.wait_at_most > Duration::from_hours(24),
        "its own time"
    );
    let order = drained(&mut queue);
    assert_eq!(order[..4], ["first", "second", "third", "fourth"]);
    assert!(order.len() == 16 && order[4..].iter().all(|&name| name == "new"));
}

#[test]
fn those_that_go_on_are_bounded_too() {
    let mut queue = Queue::new(
        policy(limits(3, 100), vec![class("all", 0, 0.0)]),
        Ticket::default(),
        NOW,
    );
    let joined = (0..100)
        .take_while(|&n| queue.join(going_on(n, 10), n, NOW).is_ok())
        .count();
    assert_eq!(joined, 8 + 3, "at the door, and behind");
}

#[test]
fn a_new_policy_holds_for_those_who_wait() {
    let mut queue = Queue::new(three(0.0), Ticket::default(), NOW);
    let tickets: Vec<_> = (0..30)
        .map(|n| joins(&mut queue, arrival([-5, 0, 5][n % 3], 1, 10), n))
        .collect();
    let trying = queue.turn().expect("somebody tries").0;
    // The other way round than before: by name, low has come above normal.
    let classes = vec![
        class("odd", 5, 0.0),
        class("low", -7, 0.0),
        class("rest", -100, 0.0),
    ];
    queue.set_policy(&policy(limits(10, 100), classes));
    let waiting: Vec<_> = queue
        .waiting()
        .map(|(class, requests, tokens)| (class.name.clone(), requests, tokens))
        .collect();
    let told = |name: &str, requests, tokens| (name.to_owned(), requests, tokens);
    assert_eq!(
        waiting,
        [
            told("odd", 10, 100),
            told("low", 20, 200),
            told("rest", 0, 0)
        ]
    );
    assert_eq!(queue.turn().expect("still").0, trying, "it is trying now");
    queue
        .join(arrival(9, 1, 10), 99, NOW)
        .expect_err("there are more than may be");
    queue.leave(tickets[29]).expect("it is there");
    queue.stands(trying, Box::default());
    let order = drained(&mut queue);
    assert_eq!(order.len(), 29);
    let (high, rest): (Vec<usize>, Vec<usize>) = order.iter().partition(|&n| n % 3 == 2);
    assert_eq!(order[..9], high, "the class above goes first: {order:?}");
    // Those that stood at the door of the others, the rest as they came, and who has just tried when there is news.
    assert!(rest[4..19].is_sorted() && rest[19] == 0, "{rest:?}");
}

#[test]
fn a_queue_in_place_of_another_gives_no_ticket_twice() {
    let mut before = Queue::new(three(0.0), Ticket::default(), NOW);
    let late = joins(&mut before, arrival(0, 1, 10), "late");
    before.leave(late);
    let mut after = Queue::new(three(0.0), before.next_ticket(), NOW);
    joins(&mut after, arrival(0, 1, 10), "other");
    assert_eq!(after.leave(late), None);
    assert!(!after.is_empty());
}
