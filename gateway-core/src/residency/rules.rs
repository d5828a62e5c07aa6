//! One endpoint's own lane: what is entered into it, and when it goes again.

use std::{collections::VecDeque, time::Duration};

use super::{
    Keying, ResidencyConfig, Room, Trust,
    shadow::{NodeRef, Shadow},
};
use crate::{BlockHash, Timestamp};

/// Prompts of one endpoint whose grace runs: at two seconds' grace, five thousand first tokens a second.
const GRACES: usize = 10_000;
const ALL_KEYINGS: [Keying; 2] = [Keying::Tokens, Keying::Bytes];

/// What one turn took from the own lane, by reason.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Their grace is over.
    pub(super) awaited: Vec<BlockHash>,
    /// Too old.
    pub(super) expired: Vec<BlockHash>,
    /// No room in the engine.
    pub(super) evicted: Vec<BlockHash>,
    /// Their attempt failed.
    pub(super) failed: Vec<BlockHash>,
    /// Overtaken by a better source.
    pub(super) overridden: Vec<BlockHash>,
    /// Graces cut short.
    pub(super) dropped: u64,
}

/// The rules with their state.
#[derive(Debug)]
pub(super) struct Rules {
    shadow: Shadow,
    /// Prompts with a first token, by the end of their grace.
    graces: VecDeque<(Timestamp, NodeRef)>,
    trust: Trust,
    room: Option<Room>,
    lag: Duration,
}

impl Rules {
    pub(super) fn new() -> Self {
        Self {
            shadow: Shadow::new(),
            graces: VecDeque::new(),
            trust: Trust::default(),
            room: None,
            lag: Duration::ZERO,
        }
    }

    pub(super) fn trust(&self) -> Trust {
        self.trust
    }

    pub(super) fn blocks(&self) -> usize {
        self.shadow.blocks()
    }

    pub(super) fn set_lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    pub(super) fn set_room(&mut self, room: Room, config: &ResidencyConfig, gone: &mut Gone) {
        self.room = Some(room);
        self.fit(config, gone);
    }

    /// A feed that has become exact says better than history what of the engine's tokens is cached.
    pub(super) fn set_trust(&mut self, trust: Trust, gone: &mut Gone) {
        if trust == Trust::Exact && self.trust != trust {
            self.shadow
                .forget_history(&[Keying::Tokens], &mut gone.overridden);
        }
        self.trust = trust;
    }

    pub(super) fn place(
        &mut self,
        prompt: &[BlockHash],
        keying: Keying,
        now: Timestamp,
        config: &ResidencyConfig,
        gone: &mut Gone,
    ) -> Option<NodeRef> {
        let end = self.shadow.insert(prompt, keying, now);
        self.fit(config, gone);
        end
    }

    pub(super) fn serve(
        &mut self,
        end: NodeRef,
        keying: Keying,
        now: Timestamp,
        config: &ResidencyConfig,
        gone: &mut Gone,
    ) {
        if keying == Keying::Bytes || self.trust != Trust::Exact {
            self.shadow.keep(end, keying);
            return;
        }
        if self.graces.len() == GRACES {
            gone.dropped += 1;
            self.end_grace(gone);
        }
        let until = now.after(config.grace).after(self.lag);
        self.graces.push_back((until, end));
    }

    pub(super) fn fail(&mut self, end: NodeRef, gone: &mut Gone) {
        self.shadow.unpin(end, &mut gone.failed);
    }

    /// Ends the graces that are over and drops what is too old.
    pub(super) fn expire(&mut self, now: Timestamp, config: &ResidencyConfig, gone: &mut Gone) {
        while self.graces.front().is_some_and(|&(until, _)| until <= now) {
            self.end_grace(gone);
        }
        let is_old = |(used, _)| now.since(used) > config.age_limit;
        while self.shadow.oldest().is_some_and(is_old) {
            self.shadow.cut_oldest(usize::MAX, &mut gone.expired);
        }
    }

    /// The engine's cache is empty: only prompts without a first token go on.
    pub(super) fn forget_served(&mut self, gone: &mut Gone) {
        for (_, end) in std::mem::take(&mut self.graces) {
            self.shadow.unpin(end, &mut gone.overridden);
        }
        self.shadow
            .forget_history(&ALL_KEYINGS, &mut gone.overridden);
    }

    /// The engine is another one: nothing goes on.
    pub(super) fn forget(&mut self) {
        self.shadow.clear();
        self.graces = VecDeque::new();
    }

    /// Settles the first of the graces: without an exact feed by now, the prompt is history.
    fn end_grace(&mut self, gone: &mut Gone) {
        let Some((_, end)) = self.graces.pop_front() else {
            return;
        };
        if self.trust == Trust::Exact {
            self.shadow.unpin(end, &mut gone.awaited);
        } else {
            self.shadow.keep(end, Keying::Tokens);
        }
    }

    /// The engine has no more room: the least recently used tails go.
    fn fit(&mut self, config: &ResidencyConfig, gone: &mut Gone) {
        let room = self
            .room
            .unwrap_or(Room::of_blocks(config.default_capacity_blocks));
        while let Some((_, keying)) = self.shadow.oldest() {
            let excess = self.tokens(&room).saturating_sub(room.tokens);
            if excess == 0 {
                return;
            }
            let blocks = excess.div_ceil(room.block_tokens(keying));
            let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
            self.shadow.cut_oldest(blocks, &mut gone.evicted);
        }
    }

    fn tokens(&self, room: &Room) -> u64 {
        let of = |keying| {
            let blocks = self.shadow.blocks_by(keying) as u64;
            blocks.saturating_mul(room.block_tokens(keying))
        };
        of(Keying::Tokens).saturating_add(of(Keying::Bytes))
    }
}
