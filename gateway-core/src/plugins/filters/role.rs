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
/// Where a pair is wanted but not worth it, half an engine may serve the whole request ([`RouteCx::any_role`]).
///
/// A whole engine can do either half, so a mixed fleet may lend it to a pair; to keep whole engines out of pairs, use
/// `labels`. Use it, hard, in every pipeline: half an engine cannot serve a whole request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoleFits;

impl Filter for RoleFits {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        cx.any_role
            || matches!(
                (cx.stage, candidate.endpoint.spec().role),
                (_, Role::Unified)
                    | (Stage::Prefill, Role::Prefill)
                    | (Stage::Decode, Role::Decode)
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
}
