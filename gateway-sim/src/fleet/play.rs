//! The event loop.

use std::collections::HashMap;
use std::time::Duration;

use gateway_core::Timestamp;

use super::event::{Agenda, Due};
use super::{
    Arrival, FleetEvent, FleetReport, Incident, IncidentKind, Outcome, Policy, RequestRecord,
};
use crate::model::{ConfigError, EngineConfig, EngineModel, RequestId, StepOutput};

/// Engines and what will happen to them.
#[derive(Clone, Debug)]
pub struct Fleet {
    configs: Vec<EngineConfig>,
    incidents: Vec<Incident>,
    scrape_every: Option<Duration>,
}

/// A fleet while it is played.
struct Play<'a> {
    fleet: &'a Fleet,
    policy: &'a mut dyn Policy,
    engines: Vec<Option<EngineModel>>,
    agenda: Agenda,
    arrivals: Vec<Arrival>,
    /// Where the records of requests under way are.
    places: HashMap<RequestId, usize>,
    report: FleetReport,
}

impl Fleet {
    /// A fleet with an engine for each configuration, numbered in that order.
    ///
    /// # Errors
    ///
    /// Where a configuration cannot run.
    pub fn new(configs: Vec<EngineConfig>) -> Result<Self, ConfigError> {
        configs.iter().try_for_each(EngineConfig::validate)?;
        Ok(Self {
            configs,
            incidents: Vec::new(),
            scrape_every: None,
        })
    }

    /// The same fleet, to one of whose engines something happens. One that is not there has no effect.
    #[must_use]
    pub fn with_incident(mut self, incident: Incident) -> Self {
        self.incidents.push(incident);
        self
    }

    /// The same fleet, whose engines tell the policy their metrics at that interval.
    #[must_use]
    pub fn scraped_every(mut self, interval: Duration) -> Self {
        self.scrape_every = Some(interval.max(Duration::from_micros(1)));
        self
    }

    /// Plays the arrivals until every request has ended.
    ///
    /// A request whose name is that of another one under way in the same engine counts as refused.
    #[must_use]
    pub fn run(
        &self,
        arrivals: impl IntoIterator<Item = Arrival>,
        policy: &mut dyn Policy,
    ) -> FleetReport {
        let mut play = Play {
            fleet: self,
            policy,
            engines: self.configs.iter().map(fresh).collect(),
            agenda: Agenda::default(),
            arrivals: arrivals.into_iter().collect(),
            places: HashMap::new(),
            report: FleetReport::default(),
        };
        play.report.records = play.arrivals.iter().map(RequestRecord::new).collect();
        for (place, arrival) in play.arrivals.iter().enumerate() {
            play.agenda.add(arrival.at, Due::Arrival(place));
        }
        for (place, incident) in self.incidents.iter().enumerate() {
            play.agenda.add(incident.at, Due::Incident(place));
        }
        if let Some(interval) = self.scrape_every {
            play.agenda
                .add(Timestamp::ZERO.after(interval), Due::Scrape);
        }
        while let Some((now, due)) = play.agenda.next() {
            play.happen(now, due);
        }
        play.report.engines = play
            .engines
            .iter()
            .map(|engine| engine.as_ref().map(EngineModel::metrics))
            .collect();
        play.report
    }
}

fn fresh(config: &EngineConfig) -> Option<EngineModel> {
    Some(EngineModel::new(config.clone()).expect("checked when the fleet was made"))
}

impl Play<'_> {
    fn happen(&mut self, now: Timestamp, due: Due) {
        match due {
            Due::Incident(place) => self.incident(self.fleet.incidents[place]),
            Due::Step(engine) => self.step(engine, now),
            Due::Scrape => self.scrape(now),
            Due::Arrival(place) => self.arrive(place, now),
        }
    }

    fn arrive(&mut self, place: usize, now: Timestamp) {
        let arrival = &self.arrivals[place];
        let choice = self.policy.route(arrival, now);
        let record = &mut self.report.records[place];
        record.engine = choice;
        let Some(number) = choice else { return };
        record.outcome = Outcome::Refused;
        let Some(engine) = self.engines.get_mut(number).and_then(Option::as_mut) else {
            return;
        };
        if engine.submit(now, arrival.request.clone()).is_ok() {
            record.outcome = Outcome::Lost;
            self.places.insert(arrival.request.id, place);
            self.schedule(number);
        }
    }

    fn step(&mut self, number: usize, now: Timestamp) {
        let Some(engine) = &mut self.engines[number] else {
            return;
        };
        if engine.next_step_at() != Some(now) {
            return;
        }
        let output = engine.step(now);
        self.record(&output, now);
        self.policy.observe(
            &FleetEvent::Step {
                engine: number,
                output: &output,
            },
            now,
        );
        self.schedule(number);
    }

    fn record(&mut self, output: &StepOutput, now: Timestamp) {
        for token in &output.tokens {
            let Some(place) = self.places.get(&token.id) else {
                continue;
            };
            if let Some(gap) = self.report.records[*place].token(now) {
                self.report.gaps.push(gap);
            }
        }
        for admission in &output.admitted {
            if let Some(place) = self.places.get(&admission.id) {
                self.report.records[*place].cached_tokens = admission.cached_tokens;
            }
        }
        for id in &output.finished {
            if let Some(place) = self.places.remove(id) {
                self.report.records[place].finished(now);
            }
        }
    }

    fn scrape(&mut self, now: Timestamp) {
        for (engine, model) in self.engines.iter().enumerate() {
            if let Some(model) = model {
                self.policy.observe(
                    &FleetEvent::Scraped {
                        engine,
                        metrics: &model.metrics(),
                    },
                    now,
                );
            }
        }
        // Where nothing else is due, nothing will happen any more.
        if let Some(interval) = self.fleet.scrape_every.filter(|_| !self.agenda.is_empty()) {
            self.agenda.add(now.after(interval), Due::Scrape);
        }
    }

    fn incident(&mut self, incident: Incident) {
        let Incident {
            at,
            engine: number,
            kind,
        } = incident;
        let Some(engine) = self.engines.get_mut(number) else {
            return;
        };
        match (kind, engine) {
            (IncidentKind::Die, engine) => {
                *engine = None;
                self.lose(number, at);
            }
            (IncidentKind::Recover, engine @ None) => *engine = fresh(&self.fleet.configs[number]),
            (IncidentKind::Slow(factor), Some(engine)) => engine.set_slowdown(factor),
            (IncidentKind::Recover | IncidentKind::Slow(_), _) => {}
        }
    }

    /// Tells the policy, in the order of arrival, whom a dead engine had.
    fn lose(&mut self, number: usize, now: Timestamp) {
        let records = &self.report.records;
        let is_lost = |place: &usize| records[*place].engine == Some(number);
        let mut lost: Vec<(usize, RequestId)> = self
            .places
            .iter()
            .filter(|(_, place)| is_lost(place))
            .map(|(id, place)| (*place, *id))
            .collect();
        lost.sort_unstable();
        for (_, id) in lost {
            self.places.remove(&id);
            self.policy
                .observe(&FleetEvent::Lost { engine: number, id }, now);
        }
    }

    fn schedule(&mut self, number: usize) {
        if let Some(at) = self.engines[number]
            .as_ref()
            .and_then(EngineModel::next_step_at)
        {
            self.agenda.add(at, Due::Step(number));
        }
    }
}
