//! The queue itself.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    AdmissionPolicy, Class,
    door::Door,
    drain::Drain,
    flows::{Flows, Waiting},
};
use crate::{EndpointId, Timestamp};

/// Names one request in a queue; later ones are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// A request that wants to wait.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// How much it matters; negative ones may be given up for others.
    pub priority: i8,
    /// Whose it is: requests of one flow go in their order, flows take turns.
    pub flow: u64,
    /// Its prompt and what is expected to come out; more than 2^32 - 1 count as so many.
    pub tokens: u64,
    /// It takes up an answer of which its caller has a part: it goes before all that are new, in the order of arrival, and
    /// finds a place whatever they have filled.
    pub goes_on: bool,
}

/// A request that waits, and those that were given up for it.
#[derive(Debug)]
pub struct Joined<T> {
    /// Its name from now on.
    pub ticket: Ticket,
    /// How long it may wait.
    pub wait_at_most: Duration,
    /// What was given up.
    pub shed: Vec<T>,
}

/// There is no place for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When what waits ahead will have drained, as measured; `None` where nothing was.
    pub retry_after: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    class: usize,
    arrival: Arrival,
    value: T,
}

impl<T> Entry<T> {
    fn waiting(&self, ticket: Ticket) -> Waiting {
        Waiting {
            ticket,
            tokens: self.arrival.tokens,
        }
    }
}

/// What waits in one class, those at the door included.
#[derive(Debug, Default)]
struct Line {
    flows: Flows,
    requests: u32,
    tokens: u64,
    /// Tokens that the class is owed.
    credit: f64,
}

/// Requests that wait for room, see the [module](super). `T` is what the driver knows of each.
#[derive(Debug)]
pub struct Queue<T> {
    policy: Arc<AdmissionPolicy>,
    pub(super) entries: HashMap<Ticket, Entry<T>>,
    lines: Vec<Line>,
    /// Those that go on and do not stand at the door yet.
    going_on: BTreeSet<Ticket>,
    pub(super) tokens: u64,
    /// Those that may be given up, the first to go first: the least priority, and of these the newest.
    sheddable: BTreeSet<(i8, Reverse<Ticket>)>,
    pub(super) door: Door,
    drain: Drain,
    pub(super) next: u64,
}

impl<T> Queue<T> {
    /// An empty queue, whose first ticket is `first`: that of a queue of nobody's is the default, that of one in place of
    /// another is the other's [next](Self::next_ticket), so that whoever left the other late is nobody here.
    #[must_use]
    pub fn new(policy: Arc<AdmissionPolicy>, first: Ticket, now: Timestamp) -> Self {
        let lines = policy.classes().iter().map(|_| Line::default());
        Self {
            lines: lines.collect(),
            policy,
            entries: HashMap::new(),
            going_on: BTreeSet::new(),
            tokens: 0,
            sheddable: BTreeSet::new(),
            door: Door::new(),
            drain: Drain::new(now),
            next: first.0,
        }
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ticket of whoever joins next.
    #[must_use]
    pub fn next_ticket(&self) -> Ticket {
        Ticket(self.next)
    }

    /// From now on that policy holds, for those who wait as well: they go by its classes, in the order they came. Nobody is
    /// given up for bounds that have become narrower, and nobody's time changes.
    pub fn set_policy(&mut self, policy: &Arc<AdmissionPolicy>) {
        if Arc::ptr_eq(&self.policy, policy) {
            return;
        }
        let is_same = self.policy == *policy;
        self.policy = Arc::clone(policy);
        if !is_same {
            self.line_up_anew();
        }
    }

    fn line_up_anew(&mut self) {
        self.lines.clear();
        let classes = self.policy.classes().len();
        self.lines.resize_with(classes, Line::default);
        let mut tickets: Vec<_> = self.entries.keys().copied().collect();
        tickets.sort_unstable();
        for ticket in tickets {
            let entry = self.entries.get_mut(&ticket).expect("just listed");
            entry.class = self.policy.class_of(entry.arrival.priority);
            let line = &mut self.lines[entry.class];
            line.requests += 1;
            line.tokens += entry.arrival.tokens;
            if !entry.arrival.goes_on && !self.door.holds(ticket) {
                line.flows.push(entry.arrival.flow, entry.waiting(ticket));
            }
        }
        let entries = &self.entries;
        self.door.rank_anew(|ticket| entries[&ticket].class);
        self.advance();
    }

    /// Requests that wait, and their tokens, by class.
    pub fn waiting(&self) -> impl Iterator<Item = (&Class, u32, u64)> {
        let lines = self.policy.classes().iter().zip(&self.lines);
        lines.map(|(class, line)| (class, line.requests, line.tokens))
    }

    /// Lets a request wait, where there is a place or one can be made.
    ///
    /// # Errors
    /// Where there is none; nobody was given up then.
    pub fn join(
        &mut self,
        arrival: Arrival,
        value: T,
        now: Timestamp,
    ) -> Result<Joined<T>, Refused> {
        let tokens = arrival.tokens.clamp(1, u32::MAX.into());
        let arrival = Arrival { tokens, ..arrival };
        let class = self.policy.class_of(arrival.priority);
        let victims = self.victims(class, &arrival).ok_or_else(|| Refused {
            retry_after: self.retry_after(class, now),
        })?;
        let shed = victims.into_iter().filter_map(|one| self.take(one));
        let shed = shed.map(|entry| entry.value).collect();
        let ticket = Ticket(self.next);
        self.next += 1;
        let line = &mut self.lines[class];
        line.requests += 1;
        line.tokens += tokens;
        if arrival.goes_on {
            self.going_on.insert(ticket);
        } else {
            line.flows.push(arrival.flow, Waiting { ticket, tokens });
        }
        self.tokens += tokens;
        if may_be_shed(&arrival) {
            self.sheddable.insert((arrival.priority, Reverse(ticket)));
        }
        let entry = Entry {
            class,
            arrival,
            value,
        };
        self.entries.insert(ticket, entry);
        if !self.door.has_place() {
            self.send_back((!arrival.goes_on).then_some(class));
        }
        self.advance();
        Ok(Joined {
            ticket,
            wait_at_most: self.wait_at_most(&arrival),
            shed,
        })
    }

    /// Whoever goes on waits as long as it has time itself.
    fn wait_at_most(&self, arrival: &Arrival) -> Duration {
        let class = self.policy.class_of(arrival.priority);
        if arrival.goes_on {
            Duration::MAX
        } else {
            self.policy.classes()[class].wait_at_most
        }
    }

    /// Who has to go so that a request finds a place; `None` where that is not enough.
    fn victims(&self, class: usize, arrival: &Arrival) -> Option<Vec<Ticket>> {
        if arrival.goes_on {
            // As many again as may wait at all, so that they are bounded too.
            let most = self.policy.limits().requests as usize;
            return (self.going_on.len() < most).then(Vec::new);
        }
        let (line, own) = (&self.lines[class], &self.policy.classes()[class]);
        let is_full = |requests: usize, most: u32, tokens: u64, most_tokens: u64| {
            requests >= most as usize
                || (requests > 0 && tokens.saturating_add(arrival.tokens) > most_tokens)
        };
        if is_full(
            line.requests as usize,
            own.requests,
            line.tokens,
            own.tokens,
        ) {
            return None;
        }
        let limits = self.policy.limits();
        let (mut requests, mut tokens) = (self.entries.len(), self.tokens);
        let mut victims = Vec::new();
        let mut sheddable = self.sheddable.iter();
        while is_full(requests, limits.requests, tokens, limits.tokens) {
            let &(priority, Reverse(ticket)) = sheddable.next()?;
            if priority >= arrival.priority {
                return None;
            }
            requests -= 1;
            tokens -= self.entries[&ticket].arrival.tokens;
            victims.push(ticket);
        }
        Some(victims)
    }

    /// When what is of a class and above will have drained.
    fn retry_after(&self, class: usize, now: Timestamp) -> Option<Duration> {
        let ahead = self.lines[..=class].iter();
        let requests = ahead.clone().map(|line| line.requests).sum();
        let tokens = ahead.map(|line| line.tokens).sum();
        self.drain.time_for(requests, tokens, now)
    }

    /// When a request of that priority, come now, would have its turn, as measured.
    #[must_use]
    pub fn wait_of(&self, priority: i8, now: Timestamp) -> Option<Duration> {
        self.retry_after(self.policy.class_of(priority), now)
    }

    /// Who may try now to find room, if anybody. It keeps the turn until it is [served](Self::serve), has
    /// [found none](Self::stands) or [leaves](Self::leave).
    #[must_use]
    pub fn turn(&self) -> Option<(Ticket, &T)> {
        let ticket = self.door.turn()?;
        let entry = self.entries.get(&ticket)?;
        Some((ticket, &entry.value))
    }

    /// Endpoints that whoever stands ahead of `ticket` waits for: their room is not for it.
    #[must_use]
    pub fn promised(&self, ticket: Ticket) -> Vec<EndpointId> {
        self.door.promised(ticket)
    }

    /// Whoever had the turn found no room; it waits for one of `endpoints`.
    pub fn stands(&mut self, ticket: Ticket, endpoints: Box<[EndpointId]>) {
        self.door.tried(ticket, endpoints);
        self.advance();
    }

    /// There may be room.
    pub fn news(&mut self) {
        self.door.news();
        self.advance();
    }

    /// Whoever had the turn found room.
    pub fn serve(&mut self, ticket: Ticket, now: Timestamp) -> Option<T> {
        let entry = self.take(ticket)?;
        self.drain.served(entry.arrival.tokens, now);
        self.advance();
        Some(entry.value)
    }

    /// Somebody waits no longer.
    pub fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let entry = self.take(ticket)?;
        self.advance();
        Some(entry.value)
    }

    fn take(&mut self, ticket: Ticket) -> Option<Entry<T>> {
        let entry = self.entries.remove(&ticket)?;
        let line = &mut self.lines[entry.class];
        line.requests -= 1;
        line.tokens -= entry.arrival.tokens;
        if line.requests == 0 {
            line.credit = 0.0;
        }
        if self.door.holds(ticket) {
            self.door.remove(ticket);
        } else if !self.going_on.remove(&ticket) {
            line.flows.remove(entry.arrival.flow, ticket);
        }
        self.tokens -= entry.arrival.tokens;
        let place = (entry.arrival.priority, Reverse(ticket));
        self.sheddable.remove(&place);
        Some(entry)
    }

    /// Makes a place at the door for a class, or for who goes on, where somebody stands there who is below it.
    fn send_back(&mut self, class: Option<usize>) {
        let Some(ticket) = self.door.send_back(class) else {
            return;
        };
        let entry = &self.entries[&ticket];
        let (from, flow, waiting) = (entry.class, entry.arrival.flow, entry.waiting(ticket));
        self.lines[from].flows.put_back(flow, waiting);
        self.lend(from, -(waiting.tokens as f64));
    }

    /// Fills the door and gives the turn on.
    fn advance(&mut self) {
        while self.pay_a_share() || (self.door.has_place() && self.call_next()) {}
        self.door.advance();
    }

    /// Sends somebody to the front of the door for a class that is owed its share: who stands there already goes before
    /// who comes after him.
    fn pay_a_share(&mut self) -> bool {
        let quantum = f64::from(self.policy.limits().quantum_tokens);
        let (door, lines) = (&self.door, self.lines.iter().enumerate());
        let mut owed = lines.filter(|(_, line)| line.credit >= quantum);
        let can_be_paid = |&(class, line): &(usize, &Line)| {
            door.has_unowed(class) || (door.has_place() && !line.flows.is_empty())
        };
        let Some((class, _)) = owed.find(can_be_paid) else {
            return false;
        };
        let tokens = match self.door.raise(class) {
            Some(ticket) => self.entries[&ticket].arrival.tokens,
            None => self.call(class, true),
        };
        self.lines[class].credit -= tokens as f64;
        true
    }

    fn call_next(&mut self) -> bool {
        if let Some(ticket) = self.going_on.pop_first() {
            self.door.admit_going_on(ticket);
            return true;
        }
        let mut lines = self.lines.iter();
        let Some(class) = lines.position(|line| !line.flows.is_empty()) else {
            return false;
        };
        let tokens = self.call(class, false);
        self.lend(class, tokens as f64);
        true
    }

    /// Calls the next of a class, which has somebody, to the door; gives his tokens.
    fn call(&mut self, class: usize, is_owed: bool) -> u64 {
        let quantum = u64::from(self.policy.limits().quantum_tokens);
        let called = self.lines[class].flows.pop(quantum);
        let (_, waiting) = called.expect("the class has somebody waiting");
        self.door.admit(waiting.ticket, class, is_owed);
        waiting.tokens
    }

    /// So many tokens of `class` go before those of the classes below it, which are owed their share of them.
    fn lend(&mut self, class: usize, tokens: f64) {
        let below = self.lines.iter_mut().zip(self.policy.classes());
        for (line, class) in below.skip(class + 1) {
            if !line.flows.is_empty() {
                line.credit += tokens * f64::from(class.share);
            }
        }
    }
}

fn may_be_shed(arrival: &Arrival) -> bool {
    arrival.priority < 0 && !arrival.goes_on
}
