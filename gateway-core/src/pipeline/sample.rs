//! Large fleets: look at those who hold the prompt and at a few of the idlest, not at everybody.

use crate::{EndpointId, Fleet, Rng, residency::Residents};

/// Fleets up to this size are looked at whole.
const WHOLE: usize = 128;
/// Holders of the prompt's beginning that are looked at: those with the most of it.
const HOLDERS: usize = 8;
/// Endpoints that are drawn at random, and how many of these are looked at: those with the fewest requests.
const DRAWN: usize = 48;
const IDLEST: usize = 16;
/// So many must be left after the filters, else everybody is looked at after all.
pub(super) const ENOUGH: usize = 8;

/// Endpoints worth a look, each once; `None` where the fleet is small enough to look at everybody.
pub(super) fn sample(
    fleet: &Fleet,
    residents: &Residents,
    rng: &mut Rng,
) -> Option<Vec<EndpointId>> {
    let all = fleet.endpoints();
    if all.len() <= WHOLE {
        return None;
    }
    let mut found = Vec::with_capacity(HOLDERS + IDLEST);
    holders(residents, &mut found);
    let mut drawn = [(u32::MAX, EndpointId(0)); DRAWN];
    for place in &mut drawn {
        let endpoint = &all[rng.below(all.len())];
        *place = (endpoint.state().requests(), endpoint.id());
    }
    drawn.sort_unstable();
    let most = found.len() + IDLEST;
    for (_, id) in drawn {
        if found.len() < most && !found.contains(&id) {
            found.push(id);
        }
    }
    Some(found)
}

/// The endpoints with the most of the prompt, whichever tier it lies in.
fn holders(residents: &Residents, found: &mut Vec<EndpointId>) {
    let mut best = [(0, EndpointId(0)); HOLDERS];
    for (id, cached) in residents.iter() {
        let blocks = cached.total();
        if blocks > best[HOLDERS - 1].0 {
            let place = best.partition_point(|(others, _)| *others >= blocks);
            best[place..].rotate_right(1);
            best[place] = (blocks, id);
        }
    }
    let holding = best.iter().filter(|(blocks, _)| *blocks > 0);
    found.extend(holding.map(|(_, id)| *id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockHash, EndpointSpec, Pipeline, RouteCx, Timestamp, residency::Tier};

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn fleet(count: usize) -> Fleet {
        let specs = (0..count).map(|n| EndpointSpec::new(format!("e{n}")).model("m"));
        Fleet::new(specs).expect("valid")
    }

    #[test]
    fn small_fleets_are_looked_at_whole_and_large_ones_by_a_few() {
        let mut rng = Rng::from_seed(1);
        assert_eq!(sample(&fleet(WHOLE), &Residents::new(), &mut rng), None);
        let fleet = fleet(1_000);
        for _ in 0..200 {
            let mut found = sample(&fleet, &Residents::new(), &mut rng).expect("large");
            assert_eq!(found.len(), IDLEST);
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), IDLEST, "each once");
        }
    }

    #[test]
    fn whoever_holds_the_prompt_is_found_among_a_thousand() {
        let fleet = fleet(1_000);
        let prompt: Vec<_> = (1..=64).map(BlockHash).collect();
        for n in 0..40 {
            let blocks = &prompt[..n + 1];
            let id = fleet.endpoints()[n * 7].id();
            fleet.residency().stored(id, Tier::Device, None, blocks);
        }
        let cx = RouteCx::new("m", NOW).prompt(4_096, &prompt, 64);
        let placed = Pipeline::default()
            .place(&fleet, &cx, &mut Rng::from_seed(3))
            .expect("placed");
        let holders: Vec<_> = (32..40).map(|n| format!("e{}", n * 7)).collect();
        let chosen = placed.endpoint().name();
        assert!(holders.iter().any(|holder| holder == chosen), "{chosen}");
        assert!(placed.candidates() as usize <= HOLDERS + IDLEST);
    }

    #[test]
    fn a_selector_that_fits_few_of_a_large_fleet_still_finds_them() {
        let mut specs: Vec<_> = (0..999)
            .map(|n| EndpointSpec::new(format!("e{n}")).model("m"))
            .collect();
        specs.push(EndpointSpec::new("rare").model("m").label("zone", "z"));
        let fleet = Fleet::new(specs).expect("valid");
        let cx = RouteCx::new("m", NOW).selector(&[("zone", "z")]);
        let placed = Pipeline::default().place(&fleet, &cx, &mut Rng::from_seed(3));
        assert_eq!(placed.expect("placed").endpoint().name(), "rare");
    }

    #[test]
    fn a_burst_on_a_large_fleet_spreads() {
        let fleet = fleet(500);
        let pipeline = Pipeline::default();
        let mut rng = Rng::from_seed(5);
        let cx = RouteCx::new("m", NOW).prompt(1_000, &[], 16);
        let held: Vec<_> = (0..5_000)
            .map(|_| pipeline.place(&fleet, &cx, &mut rng).expect("placed"))
            .collect();
        let most = fleet
            .endpoints()
            .iter()
            .map(|e| e.state().in_flight().requests)
            .max();
        assert!(most <= Some(14), "{most:?} where 10 would be even");
        drop(held);
    }
}
