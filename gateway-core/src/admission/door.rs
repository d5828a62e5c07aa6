//! The first few in line, and whose turn it is to try.

use super::Ticket;
use crate::EndpointId;

/// How many stand at the door: enough that some need another endpoint than the first, few enough that whoever comes
/// later still finds most of the queue in order.
const PLACES: usize = 8;

/// The rank of those who take up an answer.
const GOES_ON: usize = 0;

/// The rank of those who are new.
fn rank(class: usize, is_owed: bool) -> usize {
    if is_owed { 1 } else { class + 1 }
}

#[derive(Debug)]
struct Standing {
    ticket: Ticket,
    /// 0 for those who go on, else one more than the class, 1 for those who are owed their share.
    rank: usize,
    is_owed: bool,
    waits_for: Box<[EndpointId]>,
    /// The round it tried in last; 0 for none.
    tried_in: u64,
}

/// Tries go round by round, from the first to the last, one at a time: so nobody takes room that is for one ahead.
#[derive(Debug)]
pub(super) struct Door {
    standing: Vec<Standing>,
    round: u64,
    turn: Option<Ticket>,
    /// There was news during a round.
    again: bool,
}

impl Door {
    pub(super) fn new() -> Self {
        Self {
            standing: Vec::with_capacity(PLACES),
            round: 1,
            turn: None,
            again: false,
        }
    }

    pub(super) fn has_place(&self) -> bool {
        self.standing.len() < PLACES
    }

    pub(super) fn holds(&self, ticket: Ticket) -> bool {
        self.standing.iter().any(|one| one.ticket == ticket)
    }

    pub(super) fn turn(&self) -> Option<Ticket> {
        self.turn
    }

    /// Comes behind those of its own rank and above.
    pub(super) fn admit(&mut self, ticket: Ticket, class: usize, is_owed: bool) {
        self.insert(Standing {
            ticket,
            rank: rank(class, is_owed),
            is_owed,
            waits_for: Box::default(),
            tried_in: 0,
        });
    }

    /// Comes behind those who go on, too, and before all others.
    pub(super) fn admit_going_on(&mut self, ticket: Ticket) {
        self.insert(Standing {
            ticket,
            rank: GOES_ON,
            is_owed: false,
            waits_for: Box::default(),
            tried_in: 0,
        });
    }

    /// The classes are others: everybody stands where his own now does, in the order they stood.
    pub(super) fn rank_anew(&mut self, class_of: impl Fn(Ticket) -> usize) {
        for one in self.standing.iter_mut().filter(|one| one.rank != GOES_ON) {
            one.rank = rank(class_of(one.ticket), one.is_owed);
        }
        self.standing.sort_by_key(|one| one.rank);
    }

    fn insert(&mut self, standing: Standing) {
        let at = self
            .standing
            .partition_point(|one| one.rank <= standing.rank);
        self.standing.insert(at, standing);
    }

    fn first_unowed(&self, class: usize) -> Option<usize> {
        let mut standing = self.standing.iter();
        standing.position(|one| one.rank == rank(class, false) && !one.is_owed)
    }

    /// Whether anybody of a class stands here in his own right.
    pub(super) fn has_unowed(&self, class: usize) -> bool {
        self.first_unowed(class).is_some()
    }

    /// Lets the first of a class stand for what the class is owed.
    pub(super) fn raise(&mut self, class: usize) -> Option<Ticket> {
        let at = self.first_unowed(class)?;
        let standing = self.standing.remove(at);
        let ticket = standing.ticket;
        self.insert(Standing {
            rank: rank(class, true),
            is_owed: true,
            ..standing
        });
        Some(ticket)
    }

    /// Sends the last one away who stands below `class`, or below those who go on where that is `None`, unless he is just
    /// trying.
    pub(super) fn send_back(&mut self, class: Option<usize>) -> Option<Ticket> {
        let last = self.standing.last()?;
        let above = class.map_or(GOES_ON, |class| rank(class, false));
        let may_go = last.rank > above && !last.is_owed && self.turn != Some(last.ticket);
        may_go.then(|| self.standing.pop().map(|one| one.ticket))?
    }

    pub(super) fn remove(&mut self, ticket: Ticket) {
        self.standing.retain(|one| one.ticket != ticket);
        if self.turn == Some(ticket) {
            self.turn = None;
        }
    }

    /// Whoever had the turn found no room.
    pub(super) fn tried(&mut self, ticket: Ticket, waits_for: Box<[EndpointId]>) {
        if self.turn != Some(ticket) {
            return;
        }
        self.turn = None;
        let round = self.round;
        let mut standing = self.standing.iter_mut();
        if let Some(one) = standing.find(|one| one.ticket == ticket) {
            one.waits_for = waits_for;
            one.tried_in = round;
        }
    }

    /// There may be room: everybody may try once more.
    pub(super) fn news(&mut self) {
        if self.turn.is_some() {
            self.again = true;
        } else {
            self.round += 1;
        }
    }

    /// Gives the turn to the first who has not tried in this round.
    pub(super) fn advance(&mut self) {
        if self.turn.is_some() {
            return;
        }
        self.turn = self.untried();
        if self.turn.is_none() && std::mem::take(&mut self.again) {
            self.round += 1;
            self.turn = self.untried();
        }
    }

    fn untried(&self) -> Option<Ticket> {
        let mut standing = self.standing.iter();
        let first = standing.find(|one| one.tried_in < self.round)?;
        Some(first.ticket)
    }

    /// The endpoints that those ahead of `ticket` wait for.
    pub(super) fn promised(&self, ticket: Ticket) -> Vec<EndpointId> {
        let ahead = self.standing.iter().take_while(|one| one.ticket != ticket);
        let mut promised: Vec<_> = ahead
            .flat_map(|one| one.waits_for.iter().copied())
            .collect();
        promised.sort_unstable();
        promised.dedup();
        promised
    }
}
