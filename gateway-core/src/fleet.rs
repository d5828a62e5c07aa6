//! The endpoints that exist now, as one immutable snapshot.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::{
    Endpoint, EndpointId, EndpointSpec,
    health::HealthPolicy,
    latency::{ClassModel, OutputLengths},
    load::{EndpointState, RoomBell, TelemetryPolicy},
    residency::{Residency, ResidencyConfig},
};

/// Why a list of endpoints is no fleet.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FleetError {
    /// Two endpoints have the same name.
    #[error("endpoint {0:?} is listed twice; give each endpoint a name of its own")]
    DuplicateName(String),
    /// More endpoints than numbers.
    #[error("{0} endpoints are more than the {limit} that one fleet holds", limit = EndpointId::LIMIT)]
    TooMany(usize),
}

/// The policies and sizes that hold for a whole fleet.
#[derive(Clone, Copy, Debug, Default)]
pub struct FleetConfig {
    /// What the age of an engine's reading means.
    pub telemetry: TelemetryPolicy,
    /// When endpoints are taken out.
    pub health: HealthPolicy,
    /// What is remembered of cached prefixes, and for how long.
    pub residency: ResidencyConfig,
}

/// What outlives a snapshot: what is cached where, what was learned, the lock that joins choosing and booking.
#[derive(Debug)]
struct Shared {
    config: FleetConfig,
    residency: Arc<Residency>,
    gate: Mutex<()>,
    classes: Mutex<HashMap<String, Arc<ClassModel>>>,
    outputs: Arc<OutputLengths>,
    bell: RoomBell,
    panics: AtomicU64,
}

impl Shared {
    /// The model of the endpoint's class.
    fn class(&self, spec: &EndpointSpec) -> Arc<ClassModel> {
        let name = spec.hardware.class_name();
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        let class = classes
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(ClassModel::new(&spec.hardware)));
        Arc::clone(class)
    }

    /// Forgets the classes of nobody.
    fn retain_classes(&self, endpoints: &[Arc<Endpoint>]) {
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        classes.retain(|name, _| endpoints.iter().any(|endpoint| endpoint.class() == name));
    }
}

/// An immutable list of endpoints with their shared living state.
///
/// A changed list is a new snapshot ([`Fleet::with_endpoints`]); endpoints that keep their name keep their number, load,
/// health and cached prefixes, so a reload forgets nothing. Cloning is cheap and shares everything.
#[derive(Clone, Debug)]
pub struct Fleet {
    endpoints: Arc<[Arc<Endpoint>]>,
    by_name: Arc<HashMap<String, u32>>,
    /// Places in `endpoints` by number.
    by_id: Arc<[Option<u32>]>,
    shared: Arc<Shared>,
}

impl Fleet {
    /// A fleet with default policies.
    ///
    /// # Errors
    /// Where two endpoints share a name or there are too many.
    pub fn new(endpoints: impl IntoIterator<Item = EndpointSpec>) -> Result<Self, FleetError> {
        Self::with_config(endpoints, FleetConfig::default())
    }

    /// A fleet with its own policies.
    ///
    /// # Errors
    /// As for [`Fleet::new`].
    pub fn with_config(
        endpoints: impl IntoIterator<Item = EndpointSpec>,
        config: FleetConfig,
    ) -> Result<Self, FleetError> {
        let shared = Shared {
            config,
            residency: Arc::new(Residency::new(config.residency)),
            gate: Mutex::new(()),
            classes: Mutex::default(),
            outputs: Arc::default(),
            bell: RoomBell::default(),
            panics: AtomicU64::new(0),
        };
        let specs = endpoints.into_iter().collect();
        assemble(specs, &[], |_| true, Arc::new(shared))
    }

    /// The next snapshot: these endpoints, with the state of those that were there before.
    ///
    /// # Errors
    /// As for [`Fleet::new`]; this snapshot is then unchanged.
    pub fn with_endpoints(
        &self,
        endpoints: impl IntoIterator<Item = EndpointSpec>,
    ) -> Result<Self, FleetError> {
        self.with_endpoints_but(endpoints, |_| false)
    }

    /// As [`with_endpoints`](Self::with_endpoints), but those whose name is `another` now have nothing but the name in
    /// common with those that were there before: they are other processes, elsewhere or anew.
    ///
    /// # Errors
    /// As for [`Fleet::new`]; this snapshot is then unchanged.
    pub fn with_endpoints_but(
        &self,
        endpoints: impl IntoIterator<Item = EndpointSpec>,
        another: impl Fn(&str) -> bool,
    ) -> Result<Self, FleetError> {
        let stays = |old: &&Arc<Endpoint>| !another(old.name());
        let next = assemble(
            endpoints.into_iter().collect(),
            &self.endpoints,
            stays,
            Arc::clone(&self.shared),
        )?;
        let is_same = |one: &Endpoint, other: Option<&Arc<Endpoint>>| {
            other.is_some_and(|other| other.id() == one.id())
        };
        for old in self.endpoints.iter() {
            if !is_same(old, next.by_name(old.name())) {
                self.shared.residency.retire(old.id());
            }
        }
        // Beside others that are warm; the endpoints of a fleet that had nobody start at once.
        let is_new = |one: &&Arc<Endpoint>| !is_same(one, self.by_name(one.name()));
        if !self.endpoints.is_empty() {
            let new = next.endpoints.iter().filter(is_new);
            new.for_each(|endpoint| endpoint.state().joined());
        }
        Ok(next)
    }

    /// All endpoints, in the order they were listed.
    #[must_use]
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// The endpoint of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.by_name
            .get(name)
            .and_then(|&at| self.endpoints.get(at as usize))
    }

    /// The endpoint of this number.
    #[must_use]
    pub fn by_id(&self, id: EndpointId) -> Option<&Arc<Endpoint>> {
        let place = self.by_id.get(id.index()).copied().flatten()?;
        self.endpoints.get(place as usize)
    }

    /// Whether any endpoint serves `model`, healthy or not.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.serves(model))
    }

    /// Whether `model` is the name of a LoRA adapter and of no model.
    #[must_use]
    pub fn is_adapter(&self, model: &str) -> bool {
        let is_model =
            |endpoint: &Arc<Endpoint>| endpoint.spec().models.iter().any(|served| served == model);
        self.endpoints
            .iter()
            .any(|endpoint| endpoint.has_adapter(model) || endpoint.can_load(model))
            && !self.endpoints.iter().any(is_model)
    }

    /// All models served, LoRA adapters included, each once, sorted.
    #[must_use]
    pub fn models(&self) -> Vec<String> {
        let all = self.endpoints.iter();
        let names: BTreeSet<String> = all
            .flat_map(|endpoint| {
                let models = endpoint.spec().models.iter().cloned();
                models.chain(endpoint.adapters())
            })
            .collect();
        names.into_iter().collect()
    }

    /// Which prefixes are believed to be cached where.
    #[must_use]
    pub fn residency(&self) -> &Arc<Residency> {
        &self.shared.residency
    }

    /// How long answers will be.
    #[must_use]
    pub fn outputs(&self) -> &Arc<OutputLengths> {
        &self.shared.outputs
    }

    /// What each class of endpoints has learned, by name.
    #[must_use]
    pub fn classes(&self) -> BTreeMap<String, Arc<ClassModel>> {
        let classes = self
            .shared
            .classes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        classes
            .iter()
            .map(|(name, class)| (name.clone(), Arc::clone(class)))
            .collect()
    }

    /// The policies of this fleet.
    #[must_use]
    pub fn config(&self) -> &FleetConfig {
        &self.shared.config
    }

    /// Has `listener` called whenever an endpoint, of this snapshot or a later one, may have got room: load was given
    /// back, a prompt is done, a reading came, an endpoint is back. It is called on the path of whoever gave the room,
    /// so it must be quick and must not place requests itself. The first listener stays; says whether it is this one.
    pub fn on_room(&self, listener: impl Fn() + Send + Sync + 'static) -> bool {
        self.shared.bell.listen(Box::new(listener))
    }

    /// Decisions that asked no breaker because nearly everybody was out, since the start.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.shared.panics.load(Relaxed)
    }

    pub(crate) fn panicked(&self) {
        self.shared.panics.fetch_add(1, Relaxed);
    }

    /// Held from the first look at the load until the choice is booked, so that no two choices see the same load.
    pub(crate) fn gate(&self) -> MutexGuard<'_, ()> {
        self.shared
            .gate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn assemble(
    specs: Vec<EndpointSpec>,
    before: &[Arc<Endpoint>],
    stays: impl Fn(&&Arc<Endpoint>) -> bool,
    shared: Arc<Shared>,
) -> Result<Fleet, FleetError> {
    if specs.len() > EndpointId::LIMIT {
        return Err(FleetError::TooMany(specs.len()));
    }
    let staying = before.iter().filter(stays);
    let known: HashMap<&str, &Arc<Endpoint>> = staying.map(|old| (old.name(), old)).collect();
    let mut used = vec![false; EndpointId::LIMIT];
    for old in before {
        used[old.id().index()] = true;
    }
    let mut free = (0..EndpointId::LIMIT)
        .filter(|&id| !used[id])
        .chain(numbers_left_behind(&specs, before, &known));
    let mut by_name = HashMap::with_capacity(specs.len());
    let mut endpoints = Vec::with_capacity(specs.len());
    for (at, spec) in (0_u32..).zip(specs) {
        if by_name.insert(spec.name.clone(), at).is_some() {
            return Err(FleetError::DuplicateName(spec.name));
        }
        let (id, state) = match known.get(spec.name.as_str()) {
            Some(old) => {
                if old.spec().hardware != spec.hardware {
                    old.state()
                        .describe(spec.hardware.clone(), shared.class(&spec));
                }
                (old.id(), Arc::clone(old.state()))
            }
            None => {
                let id = next_id(&mut free);
                let state = EndpointState::new(spec.hardware.clone(), shared.class(&spec));
                let state = state.in_fleet(id, shared.config.health, shared.bell.clone());
                (id, Arc::new(state))
            }
        };
        endpoints.push(Arc::new(Endpoint::new(id, spec, state)));
    }
    shared.retain_classes(&endpoints);
    Ok(Fleet {
        by_id: places(&endpoints),
        endpoints: endpoints.into(),
        by_name: Arc::new(by_name),
        shared,
    })
}

/// Where the endpoint of each number stands.
fn places(endpoints: &[Arc<Endpoint>]) -> Arc<[Option<u32>]> {
    let most = endpoints.iter().map(|endpoint| endpoint.id().index()).max();
    let mut places = vec![None; most.map_or(0, |most| most + 1)];
    for (at, endpoint) in (0_u32..).zip(endpoints) {
        places[endpoint.id().index()] = Some(at);
    }
    places.into()
}

fn next_id(free: &mut impl Iterator<Item = usize>) -> EndpointId {
    let id = free.next().expect("as many numbers as endpoints may exist");
    EndpointId(u16::try_from(id).expect("the limit fits 16 bits"))
}

/// Numbers whose endpoint is not in the new list: reused last, so that late news of the old one finds nobody.
fn numbers_left_behind(
    specs: &[EndpointSpec],
    before: &[Arc<Endpoint>],
    known: &HashMap<&str, &Arc<Endpoint>>,
) -> Vec<usize> {
    let listed: BTreeSet<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let stays = |name: &str| listed.contains(name) && known.contains_key(name);
    before
        .iter()
        .filter(|old| !stays(old.name()))
        .map(|old| old.id().index())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(fleet: &Fleet) -> Vec<(&str, u16)> {
        fleet
            .endpoints()
            .iter()
            .map(|e| (e.name(), e.id().0))
            .collect()
    }

    #[test]
    fn a_reload_keeps_numbers_and_state_of_those_that_stay() {
        let first = Fleet::new(["a", "b", "c"].map(EndpointSpec::new)).expect("valid");
        let second = first
            .with_endpoints(["d", "c", "a"].map(EndpointSpec::new))
            .expect("valid");
        assert_eq!(names(&first), [("a", 0), ("b", 1), ("c", 2)]);
        assert_eq!(names(&second), [("d", 3), ("c", 2), ("a", 0)]);
        let (old, new) = (
            first.by_name("a").expect("there"),
            second.by_name("a").expect("there"),
        );
        assert!(Arc::ptr_eq(old.state(), new.state()));
        assert!(second.by_name("b").is_none());
    }

    #[test]
    fn another_process_has_nothing_but_the_name_of_the_one_before() {
        let first = Fleet::new(["a", "b"].map(EndpointSpec::new)).expect("valid");
        let second = first
            .with_endpoints_but(["a", "b"].map(EndpointSpec::new), |name| name == "a")
            .expect("valid");
        assert_eq!(names(&second), [("a", 2), ("b", 1)]);
        let state = |fleet: &Fleet, name| Arc::clone(fleet.by_name(name).expect("there").state());
        assert!(!Arc::ptr_eq(&state(&first, "a"), &state(&second, "a")));
        assert!(Arc::ptr_eq(&state(&first, "b"), &state(&second, "b")));
    }

    #[test]
    fn a_full_fleet_may_be_replaced_wholly() {
        let specs = |p: &str| {
            (0..EndpointId::LIMIT)
                .map(|n| EndpointSpec::new(format!("{p}{n}")))
                .collect::<Vec<_>>()
        };
        let first = Fleet::new(specs("a")).expect("valid");
        let second = first.with_endpoints(specs("b")).expect("valid");
        let mut ids: Vec<_> = second.endpoints().iter().map(|e| e.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), EndpointId::LIMIT);
    }

    #[test]
    fn bad_lists_are_refused() {
        let twice = Fleet::new(["a", "a"].map(EndpointSpec::new)).expect_err("same name");
        assert_eq!(twice, FleetError::DuplicateName("a".into()));
        let many = (0..=EndpointId::LIMIT).map(|n| EndpointSpec::new(n.to_string()));
        assert_eq!(
            Fleet::new(many).expect_err("too many"),
            FleetError::TooMany(EndpointId::LIMIT + 1)
        );
    }
}
