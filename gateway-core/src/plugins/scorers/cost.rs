//! How a cost becomes a score. The cheapest candidate scores 1 either way.

use crate::plugin::Candidate;

/// Scores (1 + least cost) / (1 + cost), in the cost's own unit.
///
/// What is near the least keeps a float's full precision however dear the others are, so that whole costs up to sixteen
/// million are never taken for equal. Costs that are not numbers count as infinite, negative ones as nothing.
pub(super) fn by_ratio(
    candidates: &[Candidate<'_>],
    out: &mut [f32],
    cost: impl FnMut(&Candidate<'_>) -> f64,
) {
    let least = fill(candidates, out, cost);
    for score in out {
        *score = (1.0 + least) / (1.0 + *score);
    }
}

/// As [`by_ratio`], with everybody who is `preferred` (0.5 to 1) above everybody who is not (below 0.5): the best of the
/// preferred scores 1.
pub(super) fn by_ratio_preferring(
    candidates: &[Candidate<'_>],
    out: &mut [f32],
    preferred: impl Fn(&Candidate<'_>) -> bool,
    cost: impl FnMut(&Candidate<'_>) -> f64,
) {
    fill(candidates, out, cost);
    let (mut least_preferred, mut least) = (f32::MAX, f32::MAX);
    for (candidate, &cost) in candidates.iter().zip(&*out) {
        if preferred(candidate) {
            least_preferred = least_preferred.min(cost);
        } else {
            least = least.min(cost);
        }
    }
    for (candidate, score) in candidates.iter().zip(out) {
        *score = if preferred(candidate) {
            0.5 + 0.5 * ((1.0 + least_preferred) / (1.0 + *score))
        } else {
            0.499 * ((1.0 + least) / (1.0 + *score))
        };
    }
}

/// Scores 1 - (cost - least cost) / greatest cost: differences of cost stay in proportion, as a temperature needs them.
pub(super) fn by_difference(
    candidates: &[Candidate<'_>],
    out: &mut [f32],
    cost: impl FnMut(&Candidate<'_>) -> f64,
) {
    let least = fill(candidates, out, cost);
    let most = out
        .iter()
        .copied()
        .fold(least, f32::max)
        .max(f32::MIN_POSITIVE);
    for score in out {
        *score = 1.0 - (*score - least) / most;
    }
}

/// Writes the costs and says which is the least.
fn fill(
    candidates: &[Candidate<'_>],
    out: &mut [f32],
    mut cost: impl FnMut(&Candidate<'_>) -> f64,
) -> f32 {
    let mut least = f32::MAX;
    for (candidate, slot) in candidates.iter().zip(out) {
        let cost = cost(candidate);
        *slot = if cost.is_nan() {
            f32::MAX
        } else {
            (cost as f32).clamp(0.0, f32::MAX)
        };
        least = least.min(*slot);
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, uniform};

    fn mapped(costs: &[f64], map: fn(&[Candidate<'_>], &mut [f32], Costs<'_>)) -> Vec<f32> {
        let fleet = uniform(costs.len());
        let all = candidates(&fleet);
        let mut out = vec![f32::NAN; all.len()];
        map(&all, &mut out, &|c| costs[c.endpoint.id().index()]);
        out
    }

    type Costs<'c> = &'c dyn Fn(&Candidate<'_>) -> f64;

    #[test]
    fn whole_costs_that_differ_by_one_are_never_equal() {
        for least in [0.0, 1.0, 999.0, 2_600_000.0, 16_000_000.0] {
            let scores = mapped(&[least, least + 1.0, 1e12], |a, o, c| by_ratio(a, o, c));
            assert!(
                scores[0] == 1.0 && scores[1] < 1.0 && scores[2] < scores[1],
                "{least}: {scores:?}"
            );
        }
    }

    #[test]
    fn the_preferred_come_first_and_keep_their_order() {
        let costs = [1e6, 0.0, 1e6 + 1.0, 3.0];
        let scores = mapped(&costs, |all, out, cost| {
            by_ratio_preferring(all, out, |c| c.endpoint.id().index() % 2 == 0, cost);
        });
        assert_eq!(scores[0], 1.0);
        assert!(scores[2] < 1.0 && scores[2] >= 0.5, "{scores:?}");
        assert!(scores[1] < 0.5 && scores[3] < scores[1], "{scores:?}");
    }

    #[test]
    fn differences_stay_in_proportion() {
        let scores = mapped(&[10.0, 20.0, 40.0], |a, o, c| by_difference(a, o, c));
        assert_eq!(scores, [1.0, 0.75, 0.25]);
        let equal = mapped(&[0.0, 0.0], |a, o, c| by_difference(a, o, c));
        assert_eq!(equal, [1.0, 1.0]);
    }

    #[test]
    fn odd_costs_give_scores_all_the_same() {
        let odd = [f64::NAN, f64::INFINITY, -5.0, 3.0];
        assert_eq!(mapped(&odd, |a, o, c| by_ratio(a, o, c))[2..], [1.0, 0.25]);
        for scores in [
            mapped(&odd, |a, o, c| by_ratio(a, o, c)),
            mapped(&odd, |a, o, c| by_difference(a, o, c)),
            mapped(&odd[..2], |a, o, c| by_difference(a, o, c)),
        ] {
            assert!(scores.iter().all(|s| (0.0..=1.0).contains(s)), "{scores:?}");
        }
    }
}
