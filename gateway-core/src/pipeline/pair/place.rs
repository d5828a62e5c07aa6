//! The choice of a pair, or of one engine for everything.

use std::{borrow::Cow, sync::Arc};

use super::{
    super::{
        ExplainedPair, Explanation, NoEndpoint, Pipeline, Placement,
        decide::{Choice, book, completed, with_residents},
    },
    Pools, SplitRule,
    pools::Group,
};
use crate::{
    Fleet, Rng, RouteCx, Stage,
    plugins::scorers::{Latency, LatencyParams},
    residency::Residents,
};

/// The pipelines of a model's stages, and the rule that joins them.
#[derive(Clone, Debug)]
pub struct Stages {
    pub(in crate::pipeline) unified: Arc<Pipeline>,
    pub(in crate::pipeline) prefill: Arc<Pipeline>,
    pub(in crate::pipeline) decode: Arc<Pipeline>,
    pub(in crate::pipeline) split: SplitRule,
}

/// Where a request goes in split pools.
#[derive(Debug)]
#[must_use = "dropping a placement releases its load at once"]
#[expect(
    clippy::large_enum_variant,
    reason = "lives for a moment; a box would be an allocation for each request"
)]
pub enum PairPlacement {
    /// One engine does everything, which is as good or better.
    Single(Placement),
    /// One engine does everything, because there is no pair.
    Alone(Placement),
    /// One computes the prompt, the other one the output.
    Pair {
        /// The engine for the prompt.
        prefill: Placement,
        /// The engine for the output.
        decode: Placement,
    },
}

/// A choice with the question it answers.
type Answered<'f, 'c> = (Choice<'f>, RouteCx<'c>);

/// What could be done, before anything is booked.
#[expect(
    clippy::large_enum_variant,
    reason = "lives for a moment; a box would be an allocation for each request"
)]
enum Options<'f, 'c> {
    /// A pair, weighed against one engine for everything where there is one.
    Pair {
        prefill: Answered<'f, 'c>,
        decode: Answered<'f, 'c>,
        single: Option<Answered<'f, 'c>>,
    },
    /// One engine for everything.
    Single(Answered<'f, 'c>),
    /// One engine for everything, for want of a pair.
    Alone(Answered<'f, 'c>),
}

/// What all choices of one request have in common.
struct Asked<'f, 'r, 'c> {
    fleet: &'f Fleet,
    residents: &'r Residents,
    cx: &'r RouteCx<'c>,
    pools: Pools<'c>,
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

/// How many decode engines are looked at for one with somebody to prefill for it. More are only needed where engines of
/// one model cannot work with each other.
const DECODERS_AT_MOST: usize = 8;

impl Stages {
    /// An empty record of this decision, for [`place`](Self::place) to fill.
    #[must_use]
    pub fn explanation(&self, cx: &RouteCx<'_>) -> Explanation {
        self.unified.question(cx)
    }

    /// Chooses a pair, or one engine for everything, and books the request, in one step.
    ///
    /// Endpoints are chosen from `pools` (`cx.among` is not looked at). Where one side of a pair has nobody, the request
    /// is served whole by those that the pools name for it.
    ///
    /// # Errors
    /// Where nobody is left.
    pub fn place(
        &self,
        fleet: &Fleet,
        cx: &RouteCx<'_>,
        pools: Pools<'_>,
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
                pools,
            };
            let options = self.options_or_panic(&asked, rng, record.as_deref_mut())?;
            Ok(self.book(fleet, options))
        });
        let mut placed = placed?;
        if let Some(pair) = record.and_then(|record| record.pair.as_mut()) {
            pair.split = matches!(placed, PairPlacement::Pair { .. });
        }
        match &mut placed {
            PairPlacement::Single(placement) | PairPlacement::Alone(placement) => {
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

    /// Where nobody is left, once more with halves that are wholly out.
    fn options_or_panic<'f, 'r, 'c>(
        &self,
        asked: &Asked<'f, 'r, 'c>,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<Options<'f, 'c>, NoEndpoint>
    where
        'f: 'c,
    {
        let nobody = match self.options(asked, rng, record.as_deref_mut()) {
            Err(nobody) if nobody.full.is_none() && nobody.late.is_none() => nobody,
            placed_or_waits => return placed_or_waits,
        };
        if asked.fleet.config().health.panic_percent == 0 {
            return Err(nobody);
        }
        let mut cx = asked.cx.clone();
        cx.is_last_resort = true;
        let asked = Asked { cx: &cx, ..*asked };
        record.iter_mut().for_each(|record| record.clear());
        self.options(&asked, rng, record)
    }

    fn options<'f, 'c>(
        &self,
        asked: &Asked<'f, '_, 'c>,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<Options<'f, 'c>, NoEndpoint>
    where
        'f: 'c,
    {
        let mut explained = record.as_deref().map(|record| ExplainedPair {
            split: false,
            prefill: record.of_stage(Stage::Prefill),
            decode: record.of_stage(Stage::Decode),
        });
        let options = self.weighed(asked, rng, record.as_deref_mut(), explained.as_mut());
        if let Some(record) = record {
            record.pair = explained.map(Box::new);
        }
        options
    }

    fn weighed<'f, 'c>(
        &self,
        asked: &Asked<'f, '_, 'c>,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
        mut explained: Option<&mut ExplainedPair>,
    ) -> Result<Options<'f, 'c>, NoEndpoint>
    where
        'f: 'c,
    {
        let whole = asked.cx.clone().whole().among(asked.pools.whole);
        let mut rule = self.split;
        loop {
            let halves = self.halves(asked, rule, rng, explained.as_deref_mut());
            let waits = match &halves {
                Halves::Nobody(nobody) if nobody.full.is_none() => {
                    return self.alone(asked, nobody.clone(), rng, record);
                }
                // A pair is to be had, later: decode engines are not to compute prompts because others are busy with them.
                Halves::Nobody(nobody) if rule != SplitRule::Predicted => {
                    return Err(nobody.clone());
                }
                Halves::Nobody(nobody) => Some(nobody.clone()),
                _ => None,
            };
            let single = asked.choose(&self.unified, &whole, rng, record.as_deref_mut());
            if let (Some(nobody), Err(_)) = (waits, &single) {
                return Err(nobody);
            }
            match (halves, single) {
                (Halves::Pair(prefill, decode), single) => {
                    let single = single.ok().map(|choice| (choice, whole));
                    return Ok(Options::Pair {
                        prefill,
                        decode,
                        single,
                    });
                }
                (_, Ok(choice)) => return Ok(Options::Single((choice, whole))),
                (_, Err(nobody)) if nobody.full.is_some() => return Err(nobody),
                (_, Err(nobody)) if rule == SplitRule::Never => {
                    return self.alone(asked, nobody, rng, record);
                }
                // Nobody serves it whole: half engines do what is not worth it.
                (_, Err(_)) => rule = SplitRule::Always,
            }
        }
    }

    /// Who decodes, whether that is worth splitting for, who prefills for it.
    fn halves<'f, 'c>(
        &self,
        asked: &Asked<'f, '_, 'c>,
        rule: SplitRule,
        rng: &mut Rng,
        mut explained: Option<&mut ExplainedPair>,
    ) -> Halves<'f, 'c>
    where
        'f: 'c,
    {
        let all = asked.cx.prompt_tokens;
        if all > 0 && !rule.may_split(all) {
            // Whoever decodes, and though nobody does just now.
            return Halves::NotWorthIt;
        }
        let mut pool = Cow::Borrowed(asked.pools.decode);
        let mut nobody = None;
        for _ in 0..DECODERS_AT_MOST {
            let cx = asked.cx.clone().stage(Stage::Decode).among(&pool);
            let record = explained.as_deref_mut().map(|pair| &mut pair.decode);
            let decode = match asked.choose(&self.decode, &cx, rng, record) {
                Ok(choice) => choice,
                Err(why) => return Halves::Nobody(nobody.unwrap_or(why)),
            };
            if !rule.may_split(decode.candidate.uncached_tokens(&cx)) {
                return Halves::NotWorthIt;
            }
            let endpoint = decode.candidate.endpoint;
            let mut cx = asked.cx.clone().stage(Stage::Prefill).partner(endpoint);
            cx.among = asked.pools.prefill;
            let record = explained.as_deref_mut().map(|pair| &mut pair.prefill);
            match asked.choose(&self.prefill, &cx, rng, record) {
                Ok(prefill) => {
                    let decode_cx = asked.cx.clone().stage(Stage::Decode);
                    let decode_cx = decode_cx.among(asked.pools.decode);
                    return Halves::Pair((prefill, cx), (decode, decode_cx));
                }
                Err(why) => nobody = Some(nobody.unwrap_or_default().or(why)),
            }
            // Another decode engine may have somebody to prefill for it.
            pool.to_mut().retain(|&id| id != endpoint.id());
            if pool.is_empty() {
                break;
            }
            explained.iter_mut().for_each(|pair| pair.clear());
        }
        Halves::Nobody(nobody.unwrap_or_default())
    }

    /// One engine for everything, where there is no pair.
    fn alone<'f, 'c>(
        &self,
        asked: &Asked<'f, '_, 'c>,
        mut nobody: NoEndpoint,
        rng: &mut Rng,
        mut record: Option<&mut Explanation>,
    ) -> Result<Options<'f, 'c>, NoEndpoint> {
        for group in asked.pools.alone {
            let mut cx = asked.cx.clone().whole();
            cx.among = match group {
                Group::Nobody => continue,
                Group::Everybody => None,
                Group::These(endpoints) => Some(endpoints),
            };
            if let Some(record) = record.as_deref_mut() {
                record.clear();
            }
            match asked.choose(&self.unified, &cx, rng, record.as_deref_mut()) {
                Ok(choice) => return Ok(Options::Alone((choice, cx))),
                Err(why) => nobody = nobody.or(why),
            }
        }
        Err(nobody)
    }

    fn book(&self, fleet: &Fleet, options: Options<'_, '_>) -> PairPlacement {
        match options {
            Options::Pair {
                prefill,
                decode,
                single,
            } => match single {
                Some(single) if !self.splits(&prefill, &decode, &single) => {
                    PairPlacement::Single(book(fleet, &single.0, &single.1))
                }
                _ => {
                    let prefill = book(fleet, &prefill.0, &prefill.1);
                    let mut decode = book(fleet, &decode.0, &decode.1);
                    // The first token comes after both halves.
                    decode.forecast.ttft_ms +=
                        prefill.forecast.ttft_ms + prefill.forecast.transfer_ms;
                    PairPlacement::Pair { prefill, decode }
                }
            },
            Options::Single((choice, cx)) => PairPlacement::Single(book(fleet, &choice, &cx)),
            Options::Alone((choice, cx)) => PairPlacement::Alone(book(fleet, &choice, &cx)),
        }
    }

    /// Whether the pair is better than one engine for everything, of what [`SplitRule::may_split`] leaves open.
    fn splits(
        &self,
        prefill: &Answered<'_, '_>,
        decode: &Answered<'_, '_>,
        single: &Answered<'_, '_>,
    ) -> bool {
        if self.split != SplitRule::Predicted {
            return true;
        }
        let latency = Latency::new(LatencyParams::default()).expect("defaults make sense");
        let cost =
            |(choice, cx): &Answered<'_, '_>| latency.cost(cx, &choice.candidate.forecast(cx));
        cost(prefill) + cost(decode) < PAIR_BIAS * cost(single)
    }
}

/// What came of looking for a pair.
#[expect(
    clippy::large_enum_variant,
    reason = "lives for a moment; a box would be an allocation for each request"
)]
enum Halves<'f, 'c> {
    /// Who prefills, and who decodes.
    Pair(Answered<'f, 'c>, Answered<'f, 'c>),
    /// So little is to be computed that the decode engines do it themselves.
    NotWorthIt,
    /// One side has nobody.
    Nobody(NoEndpoint),
}
