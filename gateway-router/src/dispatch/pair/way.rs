//! Which way a request goes: to a pair, or whole to one engine; and which way after a pair has failed.

use std::mem;

use gateway_core::{EndpointId, pipeline::Pools};

use super::{
    super::{retries::Retries, work::Subject},
    Broken, Side,
};
use crate::{
    Fallback, PairFault, PairSettings, Retry, RouteError, pairs::PairPools, snapshot::Snapshot,
};

/// Prefill engines that are tried before the request goes whole to one engine.
const PREFILLS_AT_MOST: u32 = 2;

/// The way of a request for a model that is not served by engines that do everything alone.
pub(in crate::dispatch) struct Way<'a> {
    pools: &'a PairPools,
    pub(in crate::dispatch) settings: PairSettings,
    may_split: bool,
    /// Whether a pair would do, were there one.
    is_splittable: bool,
    /// Whether it goes on with an answer, which is no request of its own.
    goes_on: bool,
    prefills_failed: u32,
    fault: Option<PairFault>,
    /// The decode engine that failed, perhaps for want of what it was handed over, which engines do not say: it is asked
    /// first for the whole answer.
    again: Option<EndpointId>,
    /// Engines that were silent with each other. Each may serve the request whole where nobody else is left.
    spared: Vec<EndpointId>,
}

impl<'a> Way<'a> {
    /// `None` where any engine of the model does everything. What goes on with an answer is never split again.
    pub(in crate::dispatch) fn of(
        snapshot: &'a Snapshot,
        subject: &Subject<'_>,
        can_split: bool,
    ) -> Option<Self> {
        let pools = snapshot.pools(subject.model)?;
        let goes_on = subject.leg.is_continuation();
        let is_splittable = can_split && !goes_on;
        Some(Self {
            pools,
            settings: snapshot.pairs.of(subject.model),
            may_split: is_splittable,
            is_splittable,
            goes_on,
            prefills_failed: 0,
            fault: None,
            again: None,
            spared: Vec::new(),
        })
    }

    /// With nobody else left, those who may have been failed by their partner may serve the request whole, once.
    pub(in crate::dispatch) fn spare(&mut self, tried: &mut Vec<EndpointId>) -> bool {
        let spared = mem::take(&mut self.spared);
        tried.retain(|id| !spared.contains(id));
        self.again.take().is_some() || !spared.is_empty()
    }

    /// Who may do what. A request that no pair could ever serve goes to whoever can, whatever is to follow failures.
    pub(in crate::dispatch) fn pools(&self) -> Pools<'_> {
        if self.may_split {
            self.pools.split(self.settings.fallback)
        } else if let Some(again) = &self.again {
            self.pools.unsplit_at(again)
        } else if self.is_splittable {
            self.pools.unsplit(self.settings.fallback)
        } else {
            self.pools.unsplit(Fallback::SinglePhase)
        }
    }

    /// Why one engine serves it alone; `is_alone` says that there is no pair now.
    pub(in crate::dispatch) fn fault(&self, is_alone: bool) -> Option<PairFault> {
        let unmet = match self.is_splittable {
            true if is_alone => Some(PairFault::NoPair),
            true => None,
            false => (!self.goes_on).then_some(PairFault::NotSplittable),
        };
        self.fault.or(unmet)
    }

    /// A pair has failed: another prefill engine is tried once, then the request goes whole to one engine.
    ///
    /// # Errors
    /// With the pair's error where nothing follows it.
    pub(in crate::dispatch) fn after(
        &mut self,
        broken: Broken,
        (prefill, decode): (EndpointId, EndpointId),
        tried: &mut Vec<EndpointId>,
        retries: &mut Retries,
    ) -> Result<(), RouteError> {
        let Broken { fault, side, error } = broken;
        self.fault = Some(fault);
        match side {
            Side::Prefill => {
                self.prefills_failed += 1;
                tried.push(prefill);
            }
            Side::Decode => tried.push(decode),
            Side::Fetching => {
                self.again = Some(decode);
                retries.owe_another();
            }
            Side::Either => {
                self.spared = vec![prefill, decode];
                tried.extend(&self.spared);
            }
            Side::Neither => {}
        }
        let tries_another = side == Side::Prefill && self.prefills_failed < PREFILLS_AT_MOST;
        self.may_split = tries_another;
        let is_over = !tries_another && self.settings.fallback == Fallback::Never;
        if is_over || error.retry() == Retry::Never {
            return Err(error);
        }
        retries.excuse(error)
    }
}
