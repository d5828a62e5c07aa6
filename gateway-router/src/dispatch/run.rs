//! The attempts of one request.

use std::sync::Arc;

use gateway_core::{EndpointId, Explanation, Pipeline, RouteCx, Stage, hash, pipeline::Late};
use gateway_proto::{error::ApiError, openai::RequestView};

use super::{RouteReply, RouteRequest, attempt, flight::Flight, request::Keys};
use crate::{ErrorKind, Goal, Retry, RouteError, router::Shared, snapshot::Snapshot};

/// Routes `request`: as many attempts as settings, budget and errors allow, each on another endpoint.
pub(crate) async fn run(shared: &Shared, request: RouteRequest) -> Result<RouteReply, RouteError> {
    let snapshot = shared.snapshot.load_full();
    shared.budget.earn(&snapshot.retry);
    let mut flight = Flight::begin(&request, Arc::clone(&shared.sink), shared.clock);
    let route = match Route::of(&request, &snapshot) {
        Ok(route) => route,
        Err(error) => return Err(failed(&mut flight, error)),
    };
    let mut tried = Vec::new();
    let mut last = None;
    let mut deaths = 0;
    loop {
        let explanation = match place(shared, &route, &request, &tried, &mut flight) {
            Ok(explanation) => explanation,
            Err(error) => {
                if last.is_some() {
                    shared.budget.refund();
                }
                // With everybody tried, what the last one said is more use than "nobody left".
                return Err(failed(&mut flight, last.unwrap_or(error)));
            }
        };
        let id = flight.endpoint_id().expect("just placed");
        let error = match attempt::make(&snapshot, &request, id, &mut flight).await {
            Ok(begun) => return Ok(begun.into_reply(flight, explanation)),
            Err(error) => error,
        };
        flight.attempt_failed(&error);
        tried.push(id);
        deaths += u32::from(error.retry() == Retry::OtherEndpointOnce);
        if !may_retry(shared, &snapshot, &error, deaths, &flight) {
            return Err(failed(&mut flight, error));
        }
        tracing::debug!(request_id = &*request.request_id, error = %error, "trying another endpoint");
        last = Some(error);
    }
}

fn failed(flight: &mut Flight, error: RouteError) -> RouteError {
    flight.report.status = Some(error.to_api().status);
    flight.fail(error.kind(), None);
    error
}

fn may_retry(
    shared: &Shared,
    snapshot: &Snapshot,
    error: &RouteError,
    deaths: u32,
    flight: &Flight,
) -> bool {
    let worth = match error.retry() {
        Retry::Never => false,
        Retry::OtherEndpoint => true,
        // Two engines that died on it are enough, whatever others said in between.
        Retry::OtherEndpointOnce => deaths < 2,
    };
    worth && flight.report.attempts < snapshot.retry.attempts && shared.budget.spend()
}

/// What all attempts of a request share.
struct Route<'a> {
    snapshot: &'a Snapshot,
    pipeline: &'a Arc<Pipeline>,
    keys: Keys,
    labels: Vec<(&'a str, &'a str)>,
    session: Option<u64>,
    goal: Goal,
    caller: u64,
    is_adapter: bool,
}

impl<'a> Route<'a> {
    fn of(request: &'a RouteRequest, snapshot: &'a Snapshot) -> Result<Self, RouteError> {
        let view = &request.view;
        if !snapshot.fleet.serves(&view.model) {
            let api = ApiError::unknown_model(&view.model);
            return Err(RouteError::new(ErrorKind::UnknownModel, Retry::Never, api));
        }
        let is_adapter = snapshot.fleet.is_adapter(&view.model);
        let own = |view: &RequestView| {
            view.session_key(&request.body)
                .map(|key| hash::seed(&[key]))
        };
        Ok(Self {
            snapshot,
            pipeline: snapshot.pipelines.of(&view.model, Stage::Unified),
            keys: request.keys(&snapshot.text, &snapshot.feeds, is_adapter),
            labels: request
                .hints
                .labels
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            session: request.hints.session.or_else(|| own(view)),
            goal: snapshot.goals.of(&view.model, request.hints.goal),
            caller: request.hints.caller,
            is_adapter,
        })
    }

    fn cx<'c>(
        &'c self,
        view: &'c RequestView,
        tried: &'c [EndpointId],
        flight: &Flight,
    ) -> RouteCx<'c> {
        let prompt = u32::try_from(view.prompt_size.tokens).unwrap_or(u32::MAX);
        let output = view
            .max_tokens
            .map_or(0, |tokens| u32::try_from(tokens).unwrap_or(u32::MAX));
        let mut cx = RouteCx::new(&view.model, flight.now())
            .prompt(prompt, &self.keys.blocks, self.keys.block_tokens)
            .output(output)
            .selector(&self.labels)
            .exclude(tried);
        cx.is_silent = !view.stream;
        cx.objectives = self.goal.objectives;
        // What earlier attempts took is gone.
        let age_ms = flight.age().as_secs_f32() * 1_000.0;
        cx.objectives.deadline_ms = cx.objectives.deadline_ms.map(|ms| ms - age_ms);
        cx.priority = self.goal.priority.unwrap_or_default();
        cx.caller = self.caller;
        cx.keying = self.keys.keying;
        cx.session = self.session;
        cx.adapter = self.is_adapter.then_some(&*view.model);
        cx
    }
}

/// Chooses and books.
fn place(
    shared: &Shared,
    route: &Route<'_>,
    request: &RouteRequest,
    tried: &[EndpointId],
    flight: &mut Flight,
) -> Result<Option<Box<Explanation>>, RouteError> {
    let cx = route.cx(&request.view, tried, flight);
    let fleet = &route.snapshot.fleet;
    let (placed, explanation) = if request.hints.explain {
        let (placed, record) = route
            .pipeline
            .place_explained(fleet, &cx, &mut shared.rng());
        (placed, Some(Box::new(record)))
    } else {
        (route.pipeline.place(fleet, &cx, &mut shared.rng()), None)
    };
    let took = flight.now().since(cx.now);
    flight.report.decision_micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let placement = placed.map_err(|nobody| {
        tracing::debug!(model = &*request.view.model, %nobody, "nobody can take the request");
        nobody.late.map_or_else(overloaded, too_late)
    })?;
    flight.placed(placement, route.pipeline, route.snapshot);
    Ok(explanation)
}

fn overloaded() -> RouteError {
    let message = "No engine can take this request just now. Try again in a moment.";
    RouteError::new(
        ErrorKind::NoEndpoint,
        Retry::Never,
        ApiError::overloaded(message),
    )
}

/// Refused now rather than answered when nobody waits any more.
fn too_late(late: Late) -> RouteError {
    let expected = late.expected.as_millis();
    let what_to_do = if late.retry_after.is_some() {
        "Try again later, or allow more time."
    } else {
        "The prompt alone takes longer than that: allow more time, or send less."
    };
    let message = format!(
        "The answer would begin after the request's deadline: in {expected} ms at the earliest. {what_to_do}"
    );
    let api = ApiError::new(429, message).with_code("deadline_unreachable");
    RouteError::new(ErrorKind::TooLate, Retry::Never, api).with_retry_after(late.retry_after)
}
