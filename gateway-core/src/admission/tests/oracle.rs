//! Any sequence of arrivals, turns and departures against plain lists.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::{
    super::{
        Arrival, Queue, Ticket,
        flows::{Flows, Waiting},
    },
    NOW, arrival, class, going_on, limits, policy,
};

const QUANTUM: u64 = 100;
const MOST_TOKENS: u64 = 1_000;

/// Deficit round robin as the paper has it: turn after turn, nothing skipped.
#[derive(Default)]
struct Plain {
    turns: VecDeque<(u64, u64, VecDeque<Waiting>)>,
    is_open: bool,
}

impl Plain {
    fn push(&mut self, flow: u64, waiting: Waiting) {
        match self.turns.iter_mut().find(|(own, ..)| *own == flow) {
            Some((.., list)) => list.push_back(waiting),
            None => self.turns.push_back((flow, 0, [waiting].into())),
        }
    }

    fn pop(&mut self) -> Option<(u64, Waiting)> {
        loop {
            let (flow, deficit, list) = self.turns.front_mut()?;
            if !std::mem::replace(&mut self.is_open, true) {
                *deficit += QUANTUM;
            }
            if list[0].tokens <= *deficit {
                let (flow, head) = (*flow, list.pop_front()?);
                *deficit -= head.tokens;
                if list.is_empty() {
                    self.turns.pop_front();
                    self.is_open = false;
                }
                return Some((flow, head));
            }
            self.is_open = false;
            self.turns.rotate_left(1);
        }
    }

    fn remove(&mut self, ticket: Ticket) {
        let is_first_gone = |turns: &VecDeque<(u64, u64, VecDeque<Waiting>)>| {
            turns.front().is_some_and(|(.., list)| list.is_empty())
        };
        for (.., list) in &mut self.turns {
            list.retain(|one| one.ticket != ticket);
        }
        self.is_open &= !is_first_gone(&self.turns);
        self.turns.retain(|(.., list)| !list.is_empty());
    }
}

/// Where those stand in the oracle's order who take up an answer.
const GOES_ON: (i8, u64) = (9, 0);

#[derive(Clone, Debug)]
enum Op {
    Push { flow: u64, tokens: u64 },
    Pop,
    Remove(prop::sample::Index),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0..6_u64, 1..=MOST_TOKENS).prop_map(|(flow, tokens)| Op::Push { flow, tokens }),
        3 => Just(Op::Pop),
        1 => any::<prop::sample::Index>().prop_map(Op::Remove),
    ]
}

proptest! {
    #[test]
    fn turns_are_those_of_the_paper(ops in prop::collection::vec(op(), 1..200)) {
        let (mut flows, mut plain) = (Flows::default(), Plain::default());
        let mut waiting: Vec<(u64, Ticket)> = Vec::new();
        for (at, op) in (0..).zip(ops) {
            match op {
                Op::Push { flow, tokens } => {
                    let one = Waiting { ticket: Ticket(at), tokens };
                    flows.push(flow, one);
                    plain.push(flow, one);
                    waiting.push((flow, one.ticket));
                }
                Op::Pop => {
                    let popped = flows.pop(QUANTUM);
                    prop_assert_eq!(popped, plain.pop());
                    waiting.retain(|(_, ticket)| popped.is_none_or(|(_, one)| one.ticket != *ticket));
                }
                Op::Remove(index) if !waiting.is_empty() => {
                    let (flow, ticket) = waiting.swap_remove(index.index(waiting.len()));
                    flows.remove(flow, ticket);
                    plain.remove(ticket);
                }
                Op::Remove(_) => {}
            }
            prop_assert_eq!(flows.is_empty(), waiting.is_empty());
        }
    }

    /// The paper's bound: what two flows that both have a backlog have sent differs by a quantum and twice the largest
    /// request at most.
    #[test]
    fn backlogged_flows_get_equal_shares(
        sizes in prop::collection::vec(prop::collection::vec(1..=MOST_TOKENS, 30), 2..6),
    ) {
        let mut flows = Flows::default();
        let mut left: BTreeMap<u64, usize> = BTreeMap::new();
        let mut ticket = 0;
        for (flow, sizes) in (0..).zip(&sizes) {
            for &tokens in sizes {
                flows.push(flow, Waiting { ticket: Ticket(ticket), tokens });
                ticket += 1;
            }
            left.insert(flow, sizes.len());
        }
        let mut sent: BTreeMap<u64, u64> = left.keys().map(|&flow| (flow, 0)).collect();
        while let Some((flow, one)) = flows.pop(QUANTUM) {
            *sent.entry(flow).or_default() += one.tokens;
            let rest = left.entry(flow).or_default();
            *rest -= 1;
            if *rest == 0 {
                break;
            }
            let (least, most) = (sent.values().min(), sent.values().max());
            let apart = most.zip(least).map_or(0, |(most, least)| most - least);
            prop_assert!(apart <= QUANTUM + 2 * MOST_TOKENS, "{:?}", sent);
        }
    }

    /// Bounds, order within a flow, nobody lost, nobody twice, and the counts add up, whatever happens.
    #[test]
    fn everybody_leaves_once_and_in_order(
        ops in prop::collection::vec((0..8_u8, -3..3_i8, 0..4_u64, 1..500_u64), 1..300),
    ) {
        let mut low = class("low", -100, 0.0);
        low.requests = 10;
        let classes = vec![low.clone(), class("normal", 0, 0.3), class("high", 1, 0.1)];
        // The same order, so that what is expected stays what it is.
        let others = vec![low, class("middle", 0, 0.0), class("high", 1, 0.5)];
        let policies = [policy(limits(25, 100), classes), policy(limits(20, 30), others)];
        let mut queue = Queue::new(policies[0].clone(), Ticket::default(), NOW);
        let mut inside: BTreeSet<Ticket> = BTreeSet::new();
        // By class and flow: who is inside, in the order of arrival.
        let mut order: BTreeMap<(i8, u64), VecDeque<Ticket>> = BTreeMap::new();
        for (what, priority, flow, tokens) in ops {
            let place = (priority.signum(), flow);
            match what {
                0..=2 => {
                    let next = Ticket(queue.next);
                    if let Ok(joined) = queue.join(arrival(priority, flow, tokens), (next, place), NOW) {
                        prop_assert_eq!(joined.ticket, next);
                        inside.insert(next);
                        order.entry(place).or_default().push_back(next);
                        for (ticket, place) in joined.shed {
                            prop_assert!(inside.remove(&ticket));
                            prop_assert!(place.0 < 0);
                            order.entry(place).or_default().retain(|one| *one != ticket);
                        }
                    }
                }
                3 => queue.news(),
                4 => if let Some((ticket, _)) = queue.turn() {
                    queue.stands(ticket, Box::default());
                },
                6 => {
                    let next = Ticket(queue.next);
                    let arrival = Arrival { priority: 5, ..going_on(flow, tokens) };
                    if queue.join(arrival, (next, GOES_ON), NOW).is_ok() {
                        inside.insert(next);
                        order.entry(GOES_ON).or_default().push_back(next);
                    }
                }
                7 => queue.set_policy(&policies[flow as usize % 2]),
                _ => if let Some((ticket, &(_, place))) = queue.turn() {
                    // Who stood aside at the door may be passed; of the same flow nobody may be ahead but at the door.
                    let first = order.entry(place).or_default();
                    let at = first.iter().position(|one| *one == ticket);
                    prop_assert!(at.is_some_and(|at| first.iter().take(at).all(|one| queue.door.holds(*one))));
                    first.retain(|one| *one != ticket);
                    prop_assert!(inside.remove(&ticket));
                    queue.serve(ticket, NOW);
                },
            }
            prop_assert_eq!(queue.entries.len(), inside.len());
            let going_on = order.get(&GOES_ON).map_or(0, VecDeque::len);
            prop_assert!(inside.len() - going_on <= 25 && going_on <= 25 + 8);
            let counted: u32 = queue.waiting().map(|(_, requests, _)| requests).sum();
            prop_assert_eq!(counted as usize, inside.len());
            prop_assert!(queue.waiting().all(|(class, requests, _)| requests <= class.requests));
        }
        queue.news();
        while let Some((ticket, _)) = queue.turn() {
            prop_assert!(inside.remove(&ticket));
            queue.serve(ticket, NOW);
        }
        prop_assert!(inside.is_empty() && queue.is_empty() && queue.tokens == 0);
    }
}
