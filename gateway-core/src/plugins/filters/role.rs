//! `role`: the endpoint does this part of the work.

use crate::{
    Role, RouteCx, Stage,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints whose [`Role`] covers the stage that is decided.
///
/// | stage | kept |
/// |---|---|
/// | unified | [`Role::Unified`] |
/// | prefill | [`Role::Prefill`] and [`Role::Unified`] |
/// | decode | [`Role::Decode`] and [`Role::Unified`] |
///
/// Where a pair is wanted but not worth it, half an engine may serve the whole request ([`RouteCx::any_role`]), unless
/// it can do nothing but its half ([`EndpointSpec::is_half`](crate::EndpointSpec::is_half)).
///
/// A whole engine can do either half, so a mixed fleet may lend it to a pair; to keep whole engines out of pairs, use
/// `labels`. Use it, hard, in every pipeline: half an engine cannot serve a whole request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoleFits;

impl Filter for RoleFits {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let spec = candidate.endpoint.spec();
        if cx.any_role {
            return spec.serves_whole();
        }
        matches!(
            (cx.stage, spec.role),
            (_, Role::Unified) | (Stage::Prefill, Role::Prefill) | (Stage::Decode, Role::Decode)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet},
    };

    #[test]
    fn whole_engines_do_everything_and_halves_their_half() {
        let roles = [Role::Unified, Role::Prefill, Role::Decode];
        let fleet = fleet(roles.map(|role| EndpointSpec::new(format!("{role:?}")).role(role)));
        let all = candidates(&fleet);
        let kept = |stage| {
            all.iter()
                .map(|c| RoleFits.keep(&cx(1).stage(stage), c))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(Stage::Unified), [true, false, false]);
        assert_eq!(kept(Stage::Prefill), [true, true, false]);
        assert_eq!(kept(Stage::Decode), [true, false, true]);
    }

    #[test]
    fn half_an_engine_serves_whole_requests_only_where_it_can() {
        let roles = [Role::Unified, Role::Prefill, Role::Decode];
        let halves = roles.map(|role| EndpointSpec::new(format!("{role:?}")).role(role).half());
        let wholes = roles.map(|role| EndpointSpec::new(format!("{role:?} too")).role(role));
        let fleet = fleet(halves.into_iter().chain(wholes));
        let kept: Vec<_> = candidates(&fleet)
            .iter()
            .map(|c| RoleFits.keep(&cx(1).whole(), c))
            .collect();
        assert_eq!(kept, [true, false, false, true, true, true]);
    }
}
