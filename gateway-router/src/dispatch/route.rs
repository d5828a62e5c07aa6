//! What all attempts of one request share.

use std::{sync::Arc, time::Duration};

use gateway_core::{
    EndpointId, Pipeline, RouteCx, Stage, admission::Arrival, latency::OutputKey, span_of_millis,
};
use gateway_proto::error::ApiError;

use super::{
    flight::Flight,
    request::Keys,
    tokens,
    work::{Subject, Work},
};
use crate::{
    ErrorKind, Goal, Retry, RouteError, admission::Ask, router::Shared, snapshot::Snapshot,
};

/// What all attempts of a request share.
pub(super) struct Route<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) subject: Subject<'a>,
    pub(super) pipeline: &'a Arc<Pipeline>,
    pub(super) keys: Keys,
    pub(super) labels: Vec<(&'a str, &'a str)>,
    pub(super) goal: Goal,
    pub(super) is_adapter: bool,
}

impl<'a> Route<'a> {
    pub(super) fn of<W: Work>(
        work: &'a W,
        subject: Subject<'a>,
        snapshot: &'a Snapshot,
    ) -> Result<Self, RouteError> {
        if !snapshot.fleet.serves(subject.model) {
            let api = ApiError::unknown_model(subject.model);
            return Err(RouteError::new(ErrorKind::UnknownModel, Retry::Never, api));
        }
        let is_adapter = snapshot.fleet.is_adapter(subject.model);
        let labels = subject.hints.labels.iter();
        Ok(Self {
            snapshot,
            pipeline: snapshot.pipelines.of(subject.model, Stage::Unified),
            keys: work.keys(snapshot, is_adapter),
            labels: labels
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            goal: snapshot.goals.of(subject.model, subject.hints.goal),
            is_adapter,
            subject,
        })
    }

    /// The time that the request may take in all.
    pub(super) fn total(&self) -> Duration {
        let most = self.snapshot.deadlines.total;
        let own = self.subject.hints.total;
        own.map_or(most, |total| total.min(most))
    }

    /// The endpoints that are not to be asked. A call that takes up what others have failed first waits for somebody
    /// beside them, unless it `has_turn`, for which others wait.
    pub(super) async fn avoided(
        &self,
        shared: &Shared,
        flight: &Flight,
        has_turn: bool,
    ) -> Vec<EndpointId> {
        let Some(resumes) = &self.subject.leg.resumes else {
            return self.named(&self.subject.hints.avoid);
        };
        let left = if has_turn {
            Duration::ZERO
        } else {
            self.total().saturating_sub(flight.age())
        };
        let beside = tokens::elsewhere(shared, &self.subject, resumes.cause, left);
        self.named(&Box::pin(beside).await)
    }

    /// Endpoints by their names; those that are gone are none.
    pub(super) fn named(&self, names: &[Arc<str>]) -> Vec<EndpointId> {
        let fleet = &self.snapshot.fleet;
        let known = names.iter().filter_map(|name| fleet.by_name(name));
        known.map(|endpoint| endpoint.id()).collect()
    }

    /// What it asks of a line of those who wait.
    pub(super) fn ask(&self, tried: &[EndpointId], flight: &Flight) -> Ask<'a> {
        let cx = self.cx(tried, flight);
        let outputs = self.snapshot.fleet.outputs();
        let expected = outputs.expect(&OutputKey::of(&cx)) as u64;
        let output = match self.subject.max_tokens {
            0 => expected,
            most => expected.min(u64::from(most)),
        };
        let left = self.total().saturating_sub(flight.age());
        let in_time = cx.objectives.deadline_ms.map(f64::from);
        let in_time = in_time.filter(|ms| !ms.is_nan()).map(span_of_millis);
        Ask {
            model: self.subject.model,
            arrival: Arrival {
                priority: cx.priority,
                flow: cx.caller,
                tokens: u64::from(self.subject.prompt_tokens) + output,
                goes_on: self.subject.leg.is_continuation(),
            },
            until: flight
                .now()
                .after(in_time.map_or(left, |time| time.min(left))),
        }
    }

    pub(super) fn cx<'c>(&'c self, tried: &'c [EndpointId], flight: &Flight) -> RouteCx<'c> {
        let Subject { model, hints, .. } = self.subject;
        let mut cx = RouteCx::new(model, flight.now())
            .prompt(
                self.subject.prompt_tokens,
                &self.keys.blocks,
                self.keys.block_tokens,
            )
            .output(self.subject.max_tokens)
            .selector(&self.labels)
            .exclude(tried);
        cx.is_silent = !self.subject.engine_streams;
        cx.objectives = self.goal.objectives;
        // What earlier attempts took is gone.
        let age_ms = flight.age().as_secs_f32() * 1_000.0;
        cx.objectives.deadline_ms = cx.objectives.deadline_ms.map(|ms| ms - age_ms);
        if self.subject.leg.is_continuation() {
            // The answer began in time; whether it ends in time is not for admission to say.
            cx.objectives.deadline_ms = None;
        }
        cx.priority = self.goal.priority.unwrap_or_default();
        cx.caller = hints.caller;
        cx.keying = self.keys.keying;
        cx.session = hints.session.or(self.subject.session);
        cx.adapter = self.is_adapter.then_some(model);
        cx
    }
}
