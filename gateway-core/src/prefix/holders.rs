//! Who holds which blocks of a run: the writer's steps, each safe for a reader in between (see `run`).

use super::edit::{Edit, Pin};
use super::holder::Holder;
use super::run::{
    HolderUnit, LIST_WORDS, Run, SET_HOLDERS, entry, entry_holder, entry_mask, mask_of,
};

/// Where a holder is written.
#[derive(Clone, Copy)]
enum Place<'a> {
    Absent,
    First,
    Entry(HolderUnit<'a>, usize),
    Set(HolderUnit<'a>),
}

/// The place of a holder in a bit-set unit: word and bit.
fn bit_of(holder: Holder) -> (usize, u64) {
    let index = holder.index() % SET_HOLDERS;
    (index / 64, 1 << (index % 64))
}

fn part_of(holder: Holder) -> usize {
    holder.index() / SET_HOLDERS
}

/// All blocks that the holders in one unit hold together.
pub(super) fn unit_mask(unit: HolderUnit<'_>, len: usize) -> u64 {
    match unit.part() {
        Some(_) if unit.is_empty() => 0,
        Some(_) => mask_of(len),
        None => (0..LIST_WORDS).fold(0, |held, place| held | entry_mask(unit.word(place))),
    }
}

/// Every holder of a run with its mask.
pub(super) fn holders_of(run: Run<'_>) -> Vec<(Holder, u64)> {
    let mut holders = Vec::new();
    let mut push = |entry: u64| {
        if entry != 0 {
            holders.push((entry_holder(entry), entry_mask(entry)));
        }
    };
    push(run.first());
    for unit in run.holder_units() {
        for place in 0..LIST_WORDS {
            let word = unit.word(place);
            let Some(part) = unit.part() else {
                push(word);
                continue;
            };
            for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
                let index = part * SET_HOLDERS + place * 64 + bit;
                let holder = Holder::at(index);
                push(entry(holder, mask_of(run.len())));
            }
        }
    }
    holders
}

/// What `holder` holds of a run.
pub(super) fn held_by(run: Run<'_>, holder: Holder) -> u64 {
    find_holder(run, holder).1
}

fn find_holder<'a>(run: Run<'a>, holder: Holder) -> (Place<'a>, u64) {
    let is_own = |word: u64| word != 0 && entry_holder(word) == holder;
    if is_own(run.first()) {
        return (Place::First, entry_mask(run.first()));
    }
    let (word, bit) = bit_of(holder);
    for unit in run.holder_units() {
        match unit.part() {
            Some(part) if part == part_of(holder) && unit.word(word) & bit != 0 => {
                return (Place::Set(unit), mask_of(run.len()));
            }
            Some(_) => {}
            None => {
                if let Some(place) = (0..LIST_WORDS).find(|&place| is_own(unit.word(place))) {
                    return (Place::Entry(unit, place), entry_mask(unit.word(place)));
                }
            }
        }
    }
    (Place::Absent, 0)
}

impl<'a> Edit<'a> {
    /// Adds `blocks` to what `holder` holds of `run`; gives how many are new. Takes at most one unit from the pool.
    pub(super) fn hold(&mut self, run: Run<'a>, holder: Holder, blocks: u64) -> usize {
        let (place, before) = find_holder(run, holder);
        let after = before | blocks;
        if after == before {
            return 0;
        }
        let is_full = after == mask_of(run.len());
        match place {
            Place::First => run.set_first(entry(holder, after)),
            Place::Entry(unit, place) if !is_full => unit.set_word(place, entry(holder, after)),
            Place::Entry(unit, place) => {
                self.add_to_set(run, holder);
                self.bump(run);
                unit.set_word(place, 0);
                self.unlink_if_empty(run, unit);
            }
            Place::Absent if run.first() == 0 => run.set_first(entry(holder, after)),
            Place::Absent if is_full => self.add_to_set(run, holder),
            Place::Absent | Place::Set(_) => self.add_entry(run, entry(holder, after)),
        }
        (after ^ before).count_ones() as usize
    }

    /// Takes `blocks` from what `holder` holds of `run`; gives how many it held.
    pub(super) fn forget(&mut self, run: Run<'a>, holder: Holder, blocks: u64) -> usize {
        let (place, before) = find_holder(run, holder);
        let after = before & !blocks;
        if after == before {
            return 0;
        }
        match place {
            Place::Absent => {}
            Place::First => run.set_first(entry(holder, after)),
            Place::Entry(unit, place) => {
                unit.set_word(place, entry(holder, after));
                self.unlink_if_empty(run, unit);
            }
            Place::Set(unit) => self.leave_set(run, holder, unit, after),
        }
        let taken = (after ^ before).count_ones() as usize;
        self.state.held[holder.lane()] -= taken;
        taken
    }

    /// Makes a full holder one with gaps. If there is no room for that, it loses the whole run.
    fn leave_set(&mut self, run: Run<'a>, holder: Holder, unit: HolderUnit<'a>, after: u64) {
        if run.first() == 0 {
            run.set_first(entry(holder, after));
        } else if after != 0 {
            self.pin(Pin::Target, Some(run.id));
            if self.make_room(1) {
                self.add_entry(run, entry(holder, after));
            } else {
                self.state.held[holder.lane()] -= after.count_ones() as usize;
                self.state.evicted_holders += u64::from(after.count_ones());
            }
            self.pin(Pin::Target, None);
        }
        self.bump(run);
        let (word, bit) = bit_of(holder);
        unit.set_word(word, unit.word(word) & !bit);
        self.unlink_if_empty(run, unit);
    }

    fn add_to_set(&mut self, run: Run<'a>, holder: Holder) {
        let part = part_of(holder);
        let unit = run.holder_units().find(|unit| unit.part() == Some(part));
        let unit = unit.unwrap_or_else(|| self.add_unit(run, Some(part)));
        let (word, bit) = bit_of(holder);
        unit.set_word(word, unit.word(word) | bit);
    }

    fn add_entry(&mut self, run: Run<'a>, entry: u64) {
        let has_gap = |unit: &HolderUnit<'_>| (0..LIST_WORDS).any(|place| unit.word(place) == 0);
        let unit = run
            .holder_units()
            .find(|unit| unit.part().is_none() && has_gap(unit));
        let unit = unit.unwrap_or_else(|| self.add_unit(run, None));
        let gap = (0..LIST_WORDS)
            .find(|&place| unit.word(place) == 0)
            .expect("a unit with a gap");
        unit.set_word(gap, entry);
    }

    fn add_unit(&mut self, run: Run<'a>, part: Option<usize>) -> HolderUnit<'a> {
        let id = self.state.pool.take(self.arena);
        let unit = HolderUnit::new(self.arena, id).expect("units of the pool have numbers");
        unit.reset(part, run.list());
        run.set_list(id);
        unit
    }

    /// Returns a unit without holders to the pool.
    fn unlink_if_empty(&mut self, run: Run<'a>, unit: HolderUnit<'a>) {
        if !unit.is_empty() {
            return;
        }
        match run.holder_units().find(|before| before.next() == unit.id) {
            Some(before) => before.set_next(unit.next()),
            None => run.set_list(unit.next()),
        }
        self.bump(run);
        self.state.pool.free(self.arena, unit.id);
    }

    /// After `run` was cut short: drops what its holders had beyond, and writes those that are full now as full.
    pub(super) fn trim_holders(&mut self, run: Run<'a>) {
        let full = mask_of(run.len());
        let first = run.first();
        run.set_first(if first & full == 0 {
            0
        } else {
            first & !entry_mask(!full)
        });
        let units: Vec<_> = run
            .holder_units()
            .filter(|unit| unit.part().is_none())
            .collect();
        for unit in units {
            for place in 0..LIST_WORDS {
                let word = unit.word(place);
                unit.set_word(
                    place,
                    if word & full == 0 {
                        0
                    } else {
                        word & !entry_mask(!full)
                    },
                );
                if word & full == full && self.has_units(1) {
                    self.add_to_set(run, entry_holder(word));
                    self.bump(run);
                    unit.set_word(place, 0);
                }
            }
            self.unlink_if_empty(run, unit);
        }
    }
}
