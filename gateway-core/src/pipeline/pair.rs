//! Split pools: one engine for the prompt and one for the output, or one for both.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    ExplainedPair, Explanation, NoEndpoint, Pipeline, Placement,
    decide::{Choice, book, completed, with_residents},
};
use crate::{
    EndpointId, Fleet, Rng, RouteCx, Stage,
    plugins::scorers::{Latency, LatencyParams},
    residency::Residents,
};

/// When a request is split between a prefill and a decode engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitRule {
    #[default]
    /// Where the predicted latency added by the best pair is less than that of the best single engine.
    Predicted,
    /// Where the decode engine would have to compute more than so many prompt tokens.
    AboveUncachedTokens(u32),
    /// Wherever there is a pair.
    Always,
    /// Never.
    Never,
}

/// The pipelines of a model's stages, and the rule that joins them.
#[derive(Clone, Debug)]
pub struct Stages {
    pub(super) unified: Arc<Pipeline>,
    pub(super) prefill: Arc<Pipeline>,
    pub(super) decode: Arc<Pipeline>,
    pub(super) split: SplitRule,
}

/// Where a request goes in split pools.
#[derive(Debug)]
#[must_use = "dropping a placement releases its load at once"]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for a moment; a box would be an allocation for each request"
)]
pub enum PairPlacement {
    /// One engine does everything.
    Single(Placement),
    /// One computes the prompt, the other one the output.
    Pair {
        /// The engine for the prompt.
        prefill: Placement,
        /// The engine for the output.
        decode: Placement,
    },
}

/// What could be done, before anything is booked.
struct Options<'f, 'c> {
    prefill: Option<(Choice<'f>, RouteCx<'c>)>,
    decode: Option<(Choice<'f>, RouteCx<'c>)>,
    single: Option<(Choice<'f>, RouteCx<'c>)>,
}

/// What all choices of one request have in common.
struct Asked<'f, 'r, 'c> {
    fleet: &'f Fleet,
    residents: &'r Residents,
    cx: &'r RouteCx<'c>,
}

impl<'f> Asked<'f, '_, '_> {
    fn choose(
        &self,
        pipeline: &Pipeline,
        cx: &RouteCx<'_>,
        rng: &mut Rng,
        record: Option<&mut Explanation>,
    ) -> Result<Choice<'f>, NoEndpoint> {
        pipeline.choose(self.fleet, self.residents, cx, rng, record)
    }
}

/// How much more a pair may cost and still be chosen: prompts on decode engines stall more sequences than those there now.
const PAIR_BIAS: f64 = 1.6;

impl Stages {
    /// Chooses a pair, or one engine for everything, and books the request, in one step.
    ///
    /// `cx.among` names the engines that prefill, `decode` those that decode; either may name engines that do both. Where
    /// one side has nobody, the request is served whole on the other.
    ///
    /// # Errors
    /// Where nobody is left on either side.
    pub fn place(
        &self,
        fleet: &Fleet,
        cx: &RouteCx<'_>,
        decode: &[EndpointId],
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<PairPlacement, NoEndpoint> {
        let cx = completed(fleet, cx, rng);
        let placed = with_residents(fleet, &cx, |residents| {
            let _gate = fleet.gate();
            let asked = Asked {
                fleet,
                residents,
                cx: &cx,
            };
            let options = self.options(&asked, decode, rng, record.as_deref_mut());
            self.book(fleet, options?)
        });
        let mut placed = placed?;
        if let Some(pair) = record.and_then(|record| record.pair.as_mut()) {
            pair.split = matches!(placed, PairPlacement::Pair { .. });
        }
        match &mut placed {
            PairPlacement::Single(placement) => {
                placement.claim(fleet, &cx);
                self.unified.placed(&cx, placement);
            }
            PairPlacement::Pair { prefill, decode } => {
                prefill.claim(fleet, &cx);
                decode.claim(fleet, &cx);
                self.prefill.placed(&cx, prefill);
                self.decode.placed(&cx, decode);
            }
        }
        Ok(placed)
    }

    fn options<'f, 'c>(
        &self,
        asked: &Asked<'f, '_, 'c>,
        decode: &'c [EndpointId],
        rng: &mut Rng,
        record: Option<&mut Explanation>,
    ) -> Result<Options<'f, 'c>, NoEndpoint> {
        let prefill_cx = asked.cx.clone().stage(Stage::Prefill);
        let decode_cx = asked.cx.clone().stage(Stage::Decode).among(decode);
        let mut pair = record.as_deref().map(|record| ExplainedPair {
            split: false,
            prefill: record.of_stage(Stage::Prefill),
            decode: record.of_stage(Stage::Decode),
        });
        let of_prefill = pair.as_mut().map(|pair| &mut pair.prefill);
        let prefill = asked.choose(&self.prefill, &prefill_cx, rng, of_prefill);
        let of_decode = pair.as_mut().map(|pair| &mut pair.decode);
        let on_decode = asked.choose(&self.decode, &decode_cx, rng, of_decode);
        // Whoever decodes can compute a prompt too; with nobody there, those who prefill must do both.
        let single_cx = match &on_decode {
            Ok(_) => decode_cx.clone().whole(),
            Err(_) => prefill_cx.clone().whole(),
        };
        let mut record = record;
        let single = asked.choose(&self.unified, &single_cx, rng, record.as_deref_mut());
        if let Some(record) = record {
            record.pair = pair.map(Box::new);
        }
        if let (Err(nobody), Err(_)) = (&single, &on_decode) {
            return Err(nobody.clone());
        }
        Ok(Options {
            prefill: prefill.ok().map(|choice| (choice, prefill_cx)),
            decode: on_decode.ok().map(|choice| (choice, decode_cx)),
            single: single.ok().map(|choice| (choice, single_cx)),
        })
    }

    fn book(&self, fleet: &Fleet, options: Options<'_, '_>) -> Result<PairPlacement, NoEndpoint> {
        let Options {
            prefill,
            decode,
            single,
        } = options;
        match (prefill, decode, single) {
            (Some(prefill), Some(decode), single)
                if self.splits(&prefill, &decode, single.as_ref()) =>
            {
                let prefill = book(fleet, &prefill.0, &prefill.1);
                let mut decode = book(fleet, &decode.0, &decode.1);
                // The first token comes after both halves.
                decode.forecast.ttft_ms += prefill.forecast.ttft_ms + prefill.forecast.transfer_ms;
                Ok(PairPlacement::Pair { prefill, decode })
            }
            (_, _, Some((choice, cx))) => Ok(PairPlacement::Single(book(fleet, &choice, &cx))),
            _ => Err(NoEndpoint::default()),
        }
    }

    fn splits(
        &self,
        prefill: &(Choice<'_>, RouteCx<'_>),
        decode: &(Choice<'_>, RouteCx<'_>),
        single: Option<&(Choice<'_>, RouteCx<'_>)>,
    ) -> bool {
        let Some(single) = single else { return true };
        if prefill.0.candidate.endpoint.id() == decode.0.candidate.endpoint.id() {
            return false;
        }
        match self.split {
            SplitRule::Always => true,
            SplitRule::Never => false,
            SplitRule::AboveUncachedTokens(most) => {
                decode.0.candidate.uncached_tokens(&decode.1) > most
            }
            SplitRule::Predicted => {
                let latency = Latency::new(LatencyParams::default()).expect("defaults make sense");
                let cost = |(choice, cx): &(Choice<'_>, RouteCx<'_>)| {
                    latency.cost(cx, &choice.candidate.forecast(cx))
                };
                cost(prefill) + cost(decode) < PAIR_BIAS * cost(single)
            }
        }
    }
}
