//! What requests are to achieve, by whoever says so: the request, its model's settings, or the settings of all.

use std::collections::HashMap;

use gateway_core::Objectives;

/// What one request, one model or everybody wants. What is missing is taken from the next wider one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Goal {
    /// Times that are to be met.
    pub objectives: Objectives,
    /// How much it matters beside others: above 0 more, below 0 less.
    pub priority: Option<i8>,
}

impl Goal {
    /// This goal, with what is missing taken from `wider`.
    #[must_use]
    pub fn or(self, wider: &Self) -> Self {
        let (own, theirs) = (self.objectives, wider.objectives);
        Self {
            objectives: Objectives {
                ttft_ms: own.ttft_ms.or(theirs.ttft_ms),
                tpot_ms: own.tpot_ms.or(theirs.tpot_ms),
                deadline_ms: own.deadline_ms.or(theirs.deadline_ms),
            },
            priority: self.priority.or(wider.priority),
        }
    }
}

/// The goals of requests that bring none, or not all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goals {
    /// For models without goals of their own.
    pub general: Goal,
    /// By model.
    pub models: HashMap<String, Goal>,
}

impl Goals {
    /// The goal of a request for `model` that asks for `own`.
    #[must_use]
    pub fn of(&self, model: &str, own: Goal) -> Goal {
        let of_model = self.models.get(model).copied().unwrap_or_default();
        own.or(&of_model).or(&self.general)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(ttft_ms: Option<f32>, tpot_ms: Option<f32>, priority: Option<i8>) -> Goal {
        let objectives = Objectives {
            ttft_ms,
            tpot_ms,
            deadline_ms: None,
        };
        Goal {
            objectives,
            priority,
        }
    }

    #[test]
    fn the_nearest_word_counts_value_by_value() {
        let goals = Goals {
            general: goal(Some(1.0), Some(2.0), Some(-3)),
            models: [("m".to_owned(), goal(None, Some(20.0), None))].into(),
        };
        let own = goal(Some(100.0), None, Some(0));
        assert_eq!(goals.of("m", own), goal(Some(100.0), Some(20.0), Some(0)));
        assert_eq!(
            goals.of("m", Goal::default()),
            goal(Some(1.0), Some(20.0), Some(-3))
        );
        assert_eq!(goals.of("other", Goal::default()), goals.general);
    }
}
