//! The list in force: merged from all who list endpoints, with those that are gone until they have ended what they began.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use gateway_core::{EndpointId, Fleet};
use tokio::time::Instant;

use super::{Change, ChangeError, EndpointStatus};
use crate::config::EndpointConfig;

/// What those that operators added are listed under.
const OPERATORS: &str = "admin";
/// The most endpoints that operators may add.
const ADDED_AT_MOST: usize = 1_024;
/// The most names that stay drained while nobody lists them.
const DRAINED_AT_MOST: usize = 1_024;

/// Who is listed by whom, who is drained, and who leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    added: Vec<EndpointConfig>,
    drained: BTreeSet<String>,
    listed: Vec<Listed>,
    leaving: BTreeMap<String, Leaving>,
    /// Whom the fleet was told to drain.
    told: HashSet<String>,
    left_out: usize,
}

#[derive(Clone, Debug)]
struct Listed {
    config: EndpointConfig,
    source: String,
}

#[derive(Clone, Debug)]
struct Leaving {
    was: Listed,
    since: Instant,
}

impl Listed {
    fn name(&self) -> &str {
        &self.config.settings.spec.name
    }
}

fn name(config: &EndpointConfig) -> &str {
    &config.settings.spec.name
}

/// What tells engines apart: address and rank.
fn engine(config: &EndpointConfig) -> (String, Option<u32>) {
    let target = &config.settings.target;
    (target.to_string(), target.rank())
}

impl Roster {
    /// Takes in what everybody lists now. Who was listed, is not any more, and is still busy in `fleet` leaves.
    pub(crate) fn merge(
        &mut self,
        fixed: &[EndpointConfig],
        found: Vec<(&str, Vec<EndpointConfig>)>,
        fleet: &Fleet,
    ) {
        let added = self.added.clone();
        let fixed = fixed.iter().cloned().map(|one| (one, "config"));
        let added = added.into_iter().map(|one| (one, OPERATORS));
        let found = found
            .into_iter()
            .flat_map(|(source, list)| list.into_iter().map(move |one| (one, source)));
        let (listed, left_out) = unique(fixed.chain(added).chain(found));
        if left_out > self.left_out {
            tracing::warn!(left_out, "endpoints listed twice or too many are left out");
        }
        self.left_out = left_out;
        let before = std::mem::replace(&mut self.listed, listed);
        let names: HashSet<&str> = self.listed.iter().map(Listed::name).collect();
        for gone in before.into_iter().filter(|old| !names.contains(old.name())) {
            let leaving = Leaving {
                was: gone,
                since: Instant::now(),
            };
            self.leaving.insert(leaving.was.name().to_owned(), leaving);
        }
        self.leaving
            .retain(|name, _| !names.contains(name.as_str()));
        self.forget_idle(fleet);
        let room = EndpointId::LIMIT - self.listed.len();
        while self.leaving.len() > room {
            self.leaving.pop_last();
        }
    }

    /// Lets those go that leave and have nothing in flight, or have had `patience`. Says whether anybody went.
    pub(crate) fn sweep(&mut self, fleet: &Fleet, patience: Duration) -> bool {
        let before = self.leaving.len();
        self.leaving
            .retain(|_, leaving| leaving.since.elapsed() < patience);
        self.forget_idle(fleet);
        self.leaving.len() < before
    }

    fn forget_idle(&mut self, fleet: &Fleet) {
        let is_busy = |name: &str| {
            let endpoint = fleet.by_name(name);
            endpoint.is_some_and(|endpoint| endpoint.state().in_flight().requests > 0)
        };
        self.leaving.retain(|name, _| is_busy(name));
    }

    /// Whether somebody is on the way out.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Everybody whom the router is to know, those on the way out at the end.
    pub(crate) fn endpoints(&self) -> Vec<EndpointConfig> {
        let listed = self.listed.iter().map(|listed| listed.config.clone());
        let leaving = self
            .leaving
            .values()
            .map(|leaving| leaving.was.config.clone());
        listed.chain(leaving).collect()
    }

    /// Tells `fleet` who gets no new requests.
    pub(crate) fn tell(&mut self, fleet: &Fleet) {
        let mut told = HashSet::new();
        for endpoint in fleet.endpoints() {
            let name = endpoint.name();
            if self.drained.contains(name) || self.leaving.contains_key(name) {
                endpoint.state().set_draining(true);
                told.insert(name.to_owned());
            } else if self.told.contains(name) {
                endpoint.state().set_draining(false);
            }
        }
        self.told = told;
    }

    /// Makes a change; the list is to be merged anew after it.
    pub(crate) fn change(&mut self, change: Change) -> Result<(), ChangeError> {
        match change {
            Change::Add(endpoints) => self.add(endpoints),
            Change::Drain(name) => {
                self.known(&name)?;
                self.drain(name);
                Ok(())
            }
            Change::Resume(name) => {
                self.known(&name)?;
                self.drained.remove(&name);
                Ok(())
            }
            Change::Remove(name) => self.remove(&name),
        }
    }

    fn add(&mut self, endpoints: Vec<EndpointConfig>) -> Result<(), ChangeError> {
        // Also by one that was added before and gives way to another list for now.
        let is_added = |one: &EndpointConfig| self.added.iter().any(|old| name(old) == name(one));
        let is_taken = |one: &&EndpointConfig| self.known(name(one)).is_ok() || is_added(one);
        if let Some(taken) = endpoints.iter().find(is_taken) {
            return Err(ChangeError::Taken(name(taken).to_owned()));
        }
        let twin = endpoints.iter().find_map(|one| self.listed_at(one));
        if let Some(twin) = twin {
            return Err(ChangeError::SameEngine(twin.name().to_owned()));
        }
        if let Some(heard) = endpoints.iter().find_map(|one| self.heard_with(one)) {
            return Err(ChangeError::SameFeed(heard.name().to_owned()));
        }
        if self.added.len() + endpoints.len() > ADDED_AT_MOST {
            return Err(ChangeError::TooMany(ADDED_AT_MOST));
        }
        self.added.extend(endpoints);
        Ok(())
    }

    /// Who is listed for the same engine.
    fn listed_at(&self, one: &EndpointConfig) -> Option<&Listed> {
        let engine = engine(one);
        let mut listed = self.listed.iter();
        listed.find(|listed| self::engine(&listed.config) == engine)
    }

    /// Who is listed with KV events that could not be told from this one's.
    fn heard_with(&self, one: &EndpointConfig) -> Option<&Listed> {
        let places = one.heard_at();
        let shares = |listed: &&Listed| {
            let theirs = listed.config.heard_at();
            theirs.iter().any(|place| places.contains(place))
        };
        self.listed.iter().find(shares)
    }

    /// Whoever is drained stays so while nobody lists it: a source may miss it for a moment.
    fn drain(&mut self, name: String) {
        if self.drained.len() >= DRAINED_AT_MOST {
            let listed: HashSet<&str> = self.listed.iter().map(Listed::name).collect();
            self.drained.retain(|name| listed.contains(name.as_str()));
        }
        self.drained.insert(name);
    }

    fn remove(&mut self, gone: &str) -> Result<(), ChangeError> {
        let before = self.added.len();
        // Whether it is listed or gives way to another list for now.
        self.added.retain(|one| name(one) != gone);
        if self.added.len() == before {
            self.known(gone)?;
            return Err(ChangeError::NotAdded(gone.to_owned()));
        }
        // Another list's endpoint of that name stays drained.
        let is_others = |listed: &Listed| listed.name() == gone && listed.source != OPERATORS;
        if !self.listed.iter().any(is_others) {
            self.drained.remove(gone);
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Result<(), ChangeError> {
        let listed = self.listed.iter().any(|listed| listed.name() == name);
        listed
            .then_some(())
            .ok_or_else(|| ChangeError::Unknown(name.to_owned()))
    }

    /// The list, as it can be told.
    pub(crate) fn status(&self) -> (Vec<EndpointStatus>, usize) {
        let of = |listed: &Listed, state| EndpointStatus {
            name: listed.name().to_owned(),
            url: listed.config.settings.target.to_string(),
            source: listed.source.clone(),
            state,
        };
        let listed = self.listed.iter().map(|listed| {
            let is_drained = self.drained.contains(listed.name());
            of(listed, if is_drained { "drained" } else { "listed" })
        });
        let leaving = self
            .leaving
            .values()
            .map(|leaving| of(&leaving.was, "leaving"));
        (listed.chain(leaving).collect(), self.left_out)
    }
}

/// Each name, each engine and each place where KV events are heard once, the first that lists it; and how many were left
/// out.
fn unique<'a>(all: impl Iterator<Item = (EndpointConfig, &'a str)>) -> (Vec<Listed>, usize) {
    let (mut names, mut engines, mut heard) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut listed, mut left_out) = (Vec::new(), 0);
    for (mut config, source) in all {
        // The configuration may list an engine under two names; what others find is not listed a second time.
        let is_fixed = source == "config";
        let engine = engine(&config);
        let places = config.heard_at();
        let is_new = (is_fixed || !engines.contains(&engine))
            && !names.contains(name(&config))
            && !places.iter().any(|place| heard.contains(place))
            && listed.len() < EndpointId::LIMIT;
        if is_new {
            engines.insert(engine);
            names.insert(name(&config).to_owned());
            heard.extend(places);
            let source = source.to_owned();
            config.settings.spec.source = Some(source.clone());
            listed.push(Listed { config, source });
        } else {
            left_out += 1;
        }
    }
    (listed, left_out)
}

#[cfg(test)]
mod tests;
