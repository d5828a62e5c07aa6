//! Where the two legs of an `SGLang` pair meet, by the number that the router gave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::hold::Content;

/// How far a pair is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Whether the prefill leg is there.
    pub(super) has_prefill: bool,
    /// Whether the decode leg is there.
    pub(super) has_decode: bool,
    /// What became of the KV, once that is settled.
    pub(super) outcome: Option<Outcome>,
}

/// What became of the KV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is over there.
    Sent(Content),
    /// It is not, and never will be.
    Failed,
}

/// All rooms with somebody in them.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    open: Mutex<HashMap<u64, Arc<watch::Sender<Room>>>>,
}

/// A leg's place in a room, which is closed when the last leg has left.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    rooms: &'a Rooms,
    number: u64,
    room: Arc<watch::Sender<Room>>,
}

impl Rooms {
    pub(super) fn enter(&self, number: u64) -> Seat<'_> {
        let room = Arc::clone(self.open().entry(number).or_default());
        Seat {
            rooms: self,
            number,
            room,
        }
    }

    /// Prefill legs that wait for their partners.
    pub(super) fn lonely(&self) -> usize {
        let rooms = self.open();
        let is_lonely = |room: &&Arc<watch::Sender<Room>>| {
            let room = room.borrow();
            room.has_prefill && !room.has_decode
        };
        rooms.values().filter(is_lonely).count()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<watch::Sender<Room>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    pub(super) fn change(&self, change: impl FnOnce(&mut Room)) {
        self.room.send_modify(change);
    }

    /// Waits until the room is as told.
    pub(super) async fn until(&self, is_so: impl FnMut(&Room) -> bool) -> Room {
        let mut room = self.room.subscribe();
        // The sender is held here, so the wait cannot fail.
        let found = room.wait_for(is_so).await;
        found.map(|room| *room).unwrap_or_default()
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut rooms = self.rooms.open();
        // The map has one hold and this seat another.
        if Arc::strong_count(&self.room) <= 2 {
            rooms.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_room_lasts_as_long_as_somebody_is_in_it() {
        let rooms = Rooms::default();
        let prefill = rooms.enter(7);
        prefill.change(|room| room.has_prefill = true);
        assert_eq!(rooms.lonely(), 1);
        let decode = rooms.enter(7);
        decode.change(|room| room.has_decode = true);
        assert_eq!(rooms.lonely(), 0);
        prefill.change(|room| room.outcome = Some(Outcome::Failed));
        drop(prefill);
        let room = decode.until(|room| room.outcome.is_some()).await;
        assert_eq!(room.outcome, Some(Outcome::Failed));
        drop(decode);
        assert!(rooms.open().is_empty());
        let next = rooms.enter(7);
        assert_eq!(next.until(|_| true).await, Room::default());
    }
}
