//! The readers' side: no lock, no wait, no allocation once the buffer has grown.

use std::hint::black_box;

use super::arena::{NO_UNIT, UNIT_WORDS};
use super::heads::{Found, HeadTable, mix};
use super::holder::ASIDE;
use super::index::Shared;
use super::matches::{PrefixMatches, RunHolders};
use super::run::{LIST_WORDS, RUN_BLOCKS, Run, SET_HOLDERS};
use crate::BlockHash;

/// Words of holders from here on belong to lanes that no lookup reads.
const ASIDE_ENTRY: u64 = (ASIDE as u64) << RUN_BLOCKS;
/// Runs whose memory is asked for ahead of the walk.
const AHEAD: usize = 8;

/// Fills `out` with the length of each endpoint's match.
pub(super) fn lookup(shared: &Shared, query: &[BlockHash], out: &mut PrefixMatches) {
    out.clear();
    fetch_ahead(shared, query);
    let mut at = 0;
    while at < query.len() {
        let Some(matched) = read_run(shared, &query[at..], &mut out.read) else {
            break;
        };
        if !out.advance(at, matched) {
            break;
        }
        at += matched;
    }
    out.finish(at);
    for (run, stamp) in out.read.used.drain(..) {
        shared.touch(Run::new(&shared.arena, run), stamp);
    }
}

/// Touches what the walk will read, for all runs at once: one after the other, each run would wait for memory several
/// times over. Chains are mostly cut into full runs, so their heads are known before the walk gets there; a wrong guess
/// costs a load and means nothing.
fn fetch_ahead(shared: &Shared, query: &[BlockHash]) {
    if query.len() <= RUN_BLOCKS {
        return;
    }
    let heads = || query.iter().step_by(RUN_BLOCKS).take(AHEAD);
    let mut runs = [NO_UNIT; AHEAD];
    for (run, head) in runs.iter_mut().zip(heads()) {
        *run = shared.heads.likely(mix(head.0));
    }
    let mut last = [NO_UNIT; AHEAD];
    for (unit, &run) in last.iter_mut().zip(&runs) {
        *unit = Run::new(&shared.arena, run).hash_unit((RUN_BLOCKS - 1) / UNIT_WORDS);
    }
    let touched = last.iter().map(|&unit| shared.arena.unit(unit).load(0));
    black_box(touched.fold(0, u64::wrapping_add));
}

/// What became of an attempt to read a run.
enum Read {
    /// So many blocks of the query match.
    Matched(usize),
    /// Another run with the same tag.
    Other,
    /// The writer moved something meanwhile.
    Torn,
}

/// Copies the holders of the run that starts with the first block of `query`; gives how many blocks match.
fn read_run(shared: &Shared, query: &[BlockHash], holders: &mut RunHolders) -> Option<usize> {
    let mixed = mix(query[0].0);
    'retry: loop {
        let table = shared.heads.table(mixed);
        for found in table.candidates(mixed) {
            match attempt(shared, &table, found, query, holders) {
                Read::Matched(blocks) => return Some(blocks),
                Read::Other => {}
                Read::Torn => continue 'retry,
            }
        }
        if !table.is_retired() {
            return None;
        }
    }
}

fn attempt(
    shared: &Shared,
    table: &HeadTable,
    found: Found,
    query: &[BlockHash],
    holders: &mut RunHolders,
) -> Read {
    let run = Run::new(&shared.arena, found.run());
    let shape = run.shape();
    if !(1..=RUN_BLOCKS).contains(&shape.len()) {
        return Read::Torn;
    }
    let stamp = run.stamp();
    let matched = common_blocks(run, shape.len(), query);
    if matched > 0 {
        copy_holders(run, holders);
    }
    if run.shape().version() != shape.version() || !table.still(found) {
        return Read::Torn;
    }
    if matched == 0 {
        return Read::Other;
    }
    holders.used.push((run.id, stamp));
    Read::Matched(matched)
}

/// How many leading blocks of `query` the run has. Equal hashes mean equal prefixes, so few comparisons suffice.
fn common_blocks(run: Run<'_>, len: usize, query: &[BlockHash]) -> usize {
    let shared = len.min(query.len());
    if run.hash(shared - 1) == query[shared - 1].0 {
        return shared;
    }
    if run.hash(0) != query[0].0 {
        return 0;
    }
    let (mut equal, mut differs) = (0, shared - 1);
    while differs - equal > 1 {
        let middle = equal.midpoint(differs);
        if run.hash(middle) == query[middle].0 {
            equal = middle;
        } else {
            differs = middle;
        }
    }
    equal + 1
}

fn copy_holders(run: Run<'_>, holders: &mut RunHolders) {
    holders.entries.clear();
    holders.sets.clear();
    let is_looked_up = |entry: &u64| *entry != 0 && *entry < ASIDE_ENTRY;
    holders
        .entries
        .extend(Some(run.first()).filter(is_looked_up));
    for unit in run.holder_units() {
        let words: [u64; LIST_WORDS] = std::array::from_fn(|place| unit.word(place));
        match unit.part() {
            Some(part) if part * SET_HOLDERS >= ASIDE => {}
            Some(part) => holders.sets.push((part, words)),
            None => holders
                .entries
                .extend(words.into_iter().filter(is_looked_up)),
        }
    }
}

impl Shared {
    /// Notes the use of a run, unless it was noted a short while ago: readers should not fight over a popular run.
    fn touch(&self, run: Run<'_>, stamp: u64) {
        let now = self.now() + 1;
        if now.saturating_sub(stamp) > self.stamp_slack() {
            run.refresh(stamp, now);
        }
    }
}
