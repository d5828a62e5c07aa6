//! `serves-model`: the endpoint lists the model asked for.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints whose [`models`](crate::EndpointSpec::models) contain the request's model, letter for letter.
///
/// Use it, hard, in every pipeline of a fleet with more than one model. Leave it out only where every endpoint of the
/// fleet takes whatever model it is asked for. Aliases are resolved before the decision, not here.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServesModel;

impl Filter for ServesModel {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        candidate.endpoint.serves(cx.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{NOW, candidates, fleet},
    };

    #[test]
    fn keeps_those_that_list_the_model_letter_for_letter() {
        let fleet = fleet([
            EndpointSpec::new("both").model("m").model("n"),
            EndpointSpec::new("other").model("M"),
            EndpointSpec::new("none"),
        ]);
        let all = candidates(&fleet);
        let kept = |model| {
            all.iter()
                .map(|c| ServesModel.keep(&RouteCx::new(model, NOW), c))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept("m"), [true, false, false]);
        assert_eq!(kept("n"), [true, false, false]);
        assert_eq!(kept(""), [false, false, false]);
    }
}
