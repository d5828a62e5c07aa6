use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie::{Part, What};

use super::{
    board::{Board, NoSeat},
    slot::{Lost, Slot, WAITING_BYTES},
    status::DroppedPart,
};

fn part(id: &str, what: What, body: impl Into<Bytes>) -> Part {
    Part {
        id: id.to_owned(),
        what,
        body: body.into(),
    }
}

/// What there is for one reader now.
fn taken(slot: &Slot) -> (Vec<(What, Bytes)>, Option<Lost>) {
    let mut context = Context::from_waker(Waker::noop());
    let mut parts = Vec::new();
    loop {
        match slot.poll_take(&mut context) {
            Poll::Ready(Ok(part)) => parts.push(part),
            Poll::Ready(Err(lost)) => return (parts, Some(lost)),
            Poll::Pending => return (parts, None),
        }
    }
}

#[test]
fn each_request_hears_its_own_parts_in_their_order() {
    let board = Board::default();
    assert_eq!(board.enlist("a").err(), Some(NoSeat::Down));
    board.up();
    let (a, b) = (
        board.enlist("a").expect("up"),
        board.enlist("b").expect("up"),
    );
    assert_eq!(
        board.enlist("a").err(),
        Some(NoSeat::Full),
        "the name is taken"
    );
    for part in [
        part("a", What::Data, "1"),
        part("b", What::Data, "2"),
        part("c", What::Data, "nobody's"),
        part("a", What::Last, "3"),
        part("a", What::Data, "too late"),
    ] {
        board.give(part);
    }
    let of_a = vec![(What::Data, "1".into()), (What::Last, "3".into())];
    assert_eq!(taken(&a), (of_a, None));
    board.down();
    assert_eq!(
        taken(&b),
        (vec![(What::Data, "2".into())], Some(Lost::Link))
    );
    let status = board.status();
    assert_eq!((status.is_up, status.opened, status.waiting), (false, 1, 0));
    assert_eq!(status.dropped(DroppedPart::UnknownRequest), 2);
}

#[test]
fn one_that_takes_nothing_is_given_up_and_keeps_nobody_waiting() {
    let board = Board::default();
    board.up();
    let (slow, other) = (
        board.enlist("s").expect("up"),
        board.enlist("o").expect("up"),
    );
    let piece = Bytes::from(vec![b'x'; 1 << 10]);
    let pieces = 2 * WAITING_BYTES / piece.len();
    for _ in 0..pieces {
        board.give(part("s", What::Data, piece.clone()));
        board.give(part("o", What::Data, piece.clone()));
        assert_eq!(taken(&other).0.len(), 1, "the other one takes what comes");
    }
    let (parts, lost) = taken(&slow);
    let held: usize = parts.iter().map(|(_, body)| body.len()).sum();
    assert!(held <= WAITING_BYTES && held > WAITING_BYTES / 2);
    assert_eq!(lost, Some(Lost::TooSlow));
    let status = board.status();
    assert_eq!(status.waiting, 1);
    assert_eq!(status.dropped(DroppedPart::SlowReader), 1);
    let rest = pieces - parts.len() - 1;
    assert_eq!(status.dropped(DroppedPart::UnknownRequest), rest as u64);
}

#[test]
fn what_ends_an_answer_finds_room_behind_what_waits() {
    for what in [What::Retry, What::Error, What::Last] {
        let board = Board::default();
        board.up();
        let one = board.enlist("a").expect("up");
        let big = Bytes::from(vec![b'x'; 2 * WAITING_BYTES]);
        board.give(part("a", What::Data, "first"));
        board.give(part("a", what, big.clone()));
        let first = (What::Data, Bytes::from("first"));
        assert_eq!(taken(&one), (vec![first, (what, big)], None));
    }
}

#[test]
fn a_whole_answer_in_one_piece_is_taken_whatever_its_size() {
    let board = Board::default();
    board.up();
    let one = board.enlist("a").expect("up");
    let whole = Bytes::from(vec![b'x'; 2 * WAITING_BYTES]);
    board.give(part("a", What::Last, whole.clone()));
    assert_eq!(taken(&one), (vec![(What::Last, whole)], None));
}
