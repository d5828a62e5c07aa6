//! A router over the engines of a schedule, whose list of endpoints changes.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use gateway_router::{RouterSettings, core::Endpoint};

use crate::{
    common::rig::Rig,
    engine::{Client, Engine, Handovers, Journal},
    plan::Plan,
};

pub(crate) struct World {
    pub(crate) rig: Rig,
    pub(crate) engines: Vec<Arc<Engine>>,
    pub(crate) journal: Journal,
    pub(crate) handovers: Arc<Handovers>,
    settings: RouterSettings,
    away: Mutex<BTreeSet<&'static str>>,
    /// All that were ever listed: one that comes back is a new one.
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
}

impl World {
    pub(crate) fn of(plan: &Plan) -> Arc<Self> {
        let journal = Journal::default();
        let engines = plan.engines.iter();
        let handovers = Arc::new(Handovers::default());
        let engines = engines.map(|one| Engine::new(one, &journal, &handovers));
        let engines: Vec<_> = engines.collect();
        let named = engines.clone();
        let rig = Rig::driving(plan.settings.clone(), move |told| {
            let engine = named.iter().find(|engine| engine.name == told.spec.name)?;
            Some(Arc::new(Client(Arc::clone(engine))) as _)
        });
        let world = Arc::new(Self {
            rig,
            engines,
            journal,
            handovers,
            settings: plan.settings.clone(),
            away: Mutex::default(),
            endpoints: Mutex::default(),
        });
        world.remember();
        world
    }

    /// Lists an endpoint, or takes it from the list; the last one stays.
    pub(crate) fn list(&self, name: &'static str, is_listed: bool) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = if is_listed {
            away.remove(name)
        } else {
            away.len() + 1 < self.engines.len() && away.insert(name)
        };
        if !has_changed {
            return;
        }
        let mut settings = self.settings.clone();
        settings
            .endpoints
            .retain(|one| !away.contains(one.spec.name.as_str()));
        self.rig.router.apply(settings).expect("a good list");
        self.remember();
    }

    fn remember(&self) {
        let mut known = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for endpoint in self.rig.router.fleet().endpoints() {
            if !known.iter().any(|one| Arc::ptr_eq(one, endpoint)) {
                known.push(Arc::clone(endpoint));
            }
        }
    }

    pub(crate) fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        let known = self.endpoints.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
