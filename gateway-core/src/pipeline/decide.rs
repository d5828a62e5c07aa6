//! The decision itself.

use std::{cell::RefCell, sync::Arc};

use super::{
    AdapterThere, CachedTokens, ExplainedCandidate, ExplainedForecast, ExplainedScore, Explanation,
    FilteredOut, Full, NoEndpoint, Pipeline, Placement,
    builder::NamedFilter,
    deadline,
    pair::keep_legs,
    panic::{self, Look},
    room,
    sample::{ENOUGH, sample},
};
use crate::{
    Endpoint, Fleet, Rng, RouteCx,
    latency::OutputKey,
    plugin::{Candidate, RouteEvent},
    residency::Residents,
};

thread_local! {
    static MATCHES: RefCell<Residents> = RefCell::new(Residents::default());
}

/// What the run found, before anything is booked.
pub(super) struct Choice<'f> {
    pub(super) candidate: Candidate<'f>,
    pub(super) candidates: u32,
}

impl Pipeline {
    /// Chooses an endpoint and books the request on it, in one step: no other choice can come between.
    ///
    /// # Errors
    /// Where every endpoint is ruled out; the error says by whom.
    pub fn place(
        &self,
        fleet: &Fleet,
        cx: &RouteCx<'_>,
        rng: &mut Rng,
    ) -> Result<Placement, NoEndpoint> {
        self.run(fleet, cx, rng, None)
    }

    /// As [`place`](Self::place), with the whole record of how it came about. Costs allocations; not for every request.
    ///
    /// # Errors
    /// As for `place`; the record is complete up to there.
    pub fn place_explained(
        &self,
        fleet: &Fleet,
        cx: &RouteCx<'_>,
        rng: &mut Rng,
    ) -> (Result<Placement, NoEndpoint>, Explanation) {
        let mut record = self.question(cx);
        let placed = self.run(fleet, cx, rng, Some(&mut record));
        (placed, record)
    }

    /// A record with the question and no answer.
    pub(super) fn question(&self, cx: &RouteCx<'_>) -> Explanation {
        Explanation {
            model: cx.model.to_owned(),
            stage: cx.stage,
            prompt_tokens: cx.prompt_tokens,
            adapter: cx.adapter.map(str::to_owned),
            picker: self.picker_name.clone(),
            ..Explanation::default()
        }
    }

    fn run(
        &self,
        fleet: &Fleet,
        cx: &RouteCx<'_>,
        rng: &mut Rng,
        record: Option<&mut Explanation>,
    ) -> Result<Placement, NoEndpoint> {
        let cx = &completed(fleet, cx, rng);
        let placement = with_residents(fleet, cx, |matches| {
            let _gate = fleet.gate();
            let choice = self.choose(fleet, matches, cx, rng, record)?;
            Ok(book(fleet, &choice, cx))
        });
        let mut placement = placement?;
        placement.claim(fleet, cx);
        self.placed(cx, &placement);
        Ok(placement)
    }

    /// Tells the observers of a placement.
    pub(super) fn placed(&self, cx: &RouteCx<'_>, placement: &Placement) {
        self.observe(&RouteEvent::Placed {
            cx,
            endpoint: placement.endpoint.id(),
        });
    }

    /// Chooses, in a large fleet among a sample of it where every scorer allows that and enough is left of it.
    pub(super) fn choose<'f>(
        &self,
        fleet: &'f Fleet,
        matches: &Residents,
        cx: &RouteCx<'_>,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<Choice<'f>, NoEndpoint> {
        if cx.among.is_none() && self.allows_samples {
            let sampled = sample(fleet, matches, rng);
            if let Some(sampled) = sampled {
                let among = cx.clone().among(&sampled);
                let told = record.as_deref_mut();
                let choice = self.choose_from(fleet, matches, &among, Look::Sample, rng, told);
                match choice {
                    Ok(choice) if choice.candidates as usize >= ENOUGH => return Ok(choice),
                    _ => record.iter_mut().for_each(|record| record.clear()),
                }
            }
        }
        self.choose_from(fleet, matches, cx, Look::Whole, rng, record)
    }

    fn choose_from<'f>(
        &self,
        fleet: &'f Fleet,
        matches: &Residents,
        cx: &RouteCx<'_>,
        look: Look,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<Choice<'f>, NoEndpoint> {
        let mut candidates = gather(fleet, matches, cx);
        panic::lift(fleet, cx, look, &mut candidates, record.as_deref_mut());
        keep_legs(cx, &mut candidates, record.as_deref_mut());
        if candidates.is_empty() {
            return Err(self.nobody(fleet, matches, cx));
        }
        for filter in &self.filters {
            apply(filter, cx, &mut candidates, record.as_deref_mut());
            if candidates.is_empty() {
                return Err(self.nobody(fleet, matches, cx));
            }
        }
        deadline::apply(cx, &mut candidates, record.as_deref_mut()).map_err(|late| NoEndpoint {
            late: Some(late),
            ..self.nobody(fleet, matches, cx)
        })?;
        room::apply(cx, &mut candidates, record.as_deref_mut()).map_err(|full| NoEndpoint {
            full: Some(full),
            ..self.nobody(fleet, matches, cx)
        })?;
        let scores = self.score(cx, &candidates, record.as_deref_mut());
        let picked = self
            .picker
            .pick(cx, &candidates, &scores, rng)
            .and_then(|at| candidates.get(at));
        let Some(chosen) = picked else {
            return Err(self.nobody(fleet, matches, cx));
        };
        if let Some(record) = record {
            record.chosen = Some(chosen.endpoint.name().to_owned());
        }
        Ok(Choice {
            candidate: *chosen,
            candidates: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
        })
    }

    /// Adds up the scorers' words. One buffer for all of them, none per candidate.
    fn score(
        &self,
        cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        mut record: Option<&mut Explanation>,
    ) -> Vec<f32> {
        let mut totals = vec![0.0_f32; candidates.len()];
        let mut one = vec![0.0_f32; candidates.len()];
        if let Some(record) = record.as_deref_mut() {
            record.candidates = candidates
                .iter()
                .map(|candidate| explained(cx, candidate))
                .collect();
        }
        for scorer in &self.scorers {
            one.fill(0.0);
            scorer.scorer.score(cx, candidates, &mut one);
            for (at, (total, score)) in totals.iter_mut().zip(&one).enumerate() {
                let score = in_range(*score);
                *total += scorer.share * score;
                if let Some(record) = record.as_deref_mut() {
                    let word = ExplainedScore {
                        scorer: scorer.name.clone(),
                        share: scorer.share,
                        score,
                    };
                    record.candidates[at].scores.push(word);
                    record.candidates[at].total = *total;
                }
            }
        }
        totals
    }

    /// Counts who ruled out whom. Only on the way to an error, so it may walk the filters again.
    fn nobody(&self, fleet: &Fleet, matches: &Residents, cx: &RouteCx<'_>) -> NoEndpoint {
        let mut left = gather(fleet, matches, cx);
        panic::lift(fleet, cx, Look::Again, &mut left, None);
        let endpoints = u32::try_from(left.len()).unwrap_or(u32::MAX);
        let mut ruled_out = keep_legs(cx, &mut left, None);
        // Those who are ruled out for load alone could take it in a moment.
        let mut could = left.clone();
        let mut is_full = false;
        for filter in &self.filters {
            let before = left.len();
            apply(filter, cx, &mut left, None);
            if left.len() < before {
                let count = u32::try_from(before - left.len()).unwrap_or(u32::MAX);
                ruled_out.push((filter.name.clone(), count));
            }
            if filter.filter.is_about_load() && !filter.soft {
                is_full = true;
            } else {
                apply(filter, cx, &mut could, None);
            }
        }
        let could = could.iter().map(|candidate| candidate.endpoint.id());
        let full = (is_full && left.is_empty() && cx.room.is_some())
            .then(|| Full::of(could.collect()))
            .flatten();
        NoEndpoint {
            endpoints,
            ruled_out,
            late: None,
            full,
        }
    }
}

/// Looks up who has what of the prompt.
pub(super) fn with_residents<T>(
    fleet: &Fleet,
    cx: &RouteCx<'_>,
    decide: impl FnOnce(&Residents) -> T,
) -> T {
    MATCHES.with_borrow_mut(|matches| {
        matches.clear();
        if !cx.blocks.is_empty() {
            fleet.residency().lookup(cx.blocks, matches);
        }
        decide(matches)
    })
}

fn gather<'f>(fleet: &'f Fleet, matches: &Residents, cx: &RouteCx<'_>) -> Vec<Candidate<'f>> {
    let policy = &fleet.config().telemetry;
    let candidate = |endpoint: &'f Arc<Endpoint>| {
        let cached = matches.of(endpoint.id());
        let tokens = |blocks: u32| blocks.saturating_mul(cx.block_tokens).min(cx.prompt_tokens);
        let (near, all) = (tokens(cached.near()), tokens(cached.total()));
        Candidate {
            endpoint,
            availability: endpoint.state().availability(cx.now),
            load: endpoint.state().load(policy, cx.now),
            cached,
            cached_tokens: all,
            loaded_tokens: all - near,
        }
    };
    match cx.among {
        None => fleet.endpoints().iter().map(candidate).collect(),
        Some(among) => among
            .iter()
            .filter_map(|&id| fleet.by_id(id))
            .map(candidate)
            .collect(),
    }
}

fn apply(
    filter: &NamedFilter,
    cx: &RouteCx<'_>,
    candidates: &mut Vec<Candidate<'_>>,
    record: Option<&mut Explanation>,
) {
    let keeps = |candidate: &Candidate<'_>| filter.filter.keep(cx, candidate);
    if filter.soft && !candidates.iter().any(keeps) {
        if let Some(record) = record {
            record.skipped.push(filter.name.clone());
        }
        return;
    }
    match record {
        None => candidates.retain(keeps),
        Some(record) => candidates.retain(|candidate| {
            let kept = keeps(candidate);
            if !kept {
                let out = FilteredOut::of(candidate, &filter.name);
                record.filtered.push(out);
            }
            kept
        }),
    }
}

/// Brings a score back into 0..=1; NaN counts as 0.
#[expect(clippy::manual_clamp, reason = "`clamp` would let NaN through")]
fn in_range(score: f32) -> f32 {
    score.max(0.0).min(1.0)
}

fn explained(cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> ExplainedCandidate {
    let tokens = |blocks: u32| blocks.saturating_mul(cx.block_tokens).min(cx.prompt_tokens);
    let endpoint = candidate.endpoint;
    ExplainedCandidate {
        endpoint: endpoint.name().to_owned(),
        source: endpoint.spec().source.clone(),
        adapter: cx.adapter.map(|name| AdapterThere::of(endpoint, name)),
        availability: candidate.availability,
        load: candidate.load,
        cached_tokens: candidate.cached_tokens,
        cached: CachedTokens {
            device: tokens(candidate.cached.device),
            lower: tokens(candidate.cached.lower),
            own: tokens(candidate.cached.own),
        },
        forecast: ExplainedForecast::of(&candidate.forecast(cx)),
        scores: Vec::new(),
        total: 0.0,
    }
}

/// The request with what a decision adds to it: random bits and the expected output.
pub(super) fn completed<'a>(fleet: &Fleet, cx: &RouteCx<'a>, rng: &mut Rng) -> RouteCx<'a> {
    let mut cx = cx.clone();
    cx.draw = rng.next_u64();
    if cx.expected_tokens.is_none() {
        let expected = fleet.outputs().expect(&OutputKey::of(&cx)) as f32;
        cx.expected_tokens = Some(match cx.output_tokens {
            0 => expected,
            most => expected.min(most as f32),
        });
    }
    cx
}

pub(super) fn book(fleet: &Fleet, choice: &Choice<'_>, cx: &RouteCx<'_>) -> Placement {
    let candidate = &choice.candidate;
    let forecast = candidate.forecast(cx);
    Placement {
        endpoint: Arc::clone(candidate.endpoint),
        booking: candidate
            .endpoint
            .state()
            .book(&candidate.demand(cx), cx.now),
        cached_tokens: candidate.cached_tokens,
        candidates: choice.candidates,
        forecast,
        claim: None,
        outputs: Arc::clone(fleet.outputs()),
        output_key: Some(OutputKey::of(cx)),
        placed_at: cx.now,
        first_token_after: None,
    }
}
