//! Whose decisions are asked for, from the command line.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, anyhow};
use gateway_core::{
    Pipelines, Registry,
    decider::{Ask, Decider},
    pipeline::{ModelPipelines, PipelinesSpec},
};
use gateway_router::{Goal, Goals};

use crate::{
    cli::{
        args::DecideArgs,
        simulate::{Unusable, policies},
    },
    config::{self, Decisions, Environment},
};

/// Plug-ins may count and learn, so every beginning builds its own.
pub(super) struct Policy {
    source: Source,
    goal: Goal,
    model: String,
    seed: u64,
    explains: bool,
}

enum Source {
    Named(Box<PipelinesSpec>),
    File { text: String, path: PathBuf },
}

impl Policy {
    pub(super) fn new(args: &DecideArgs) -> anyhow::Result<Self> {
        let source = match &args.config {
            Some(path) => Source::File {
                text: fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
                path: path.clone(),
            },
            None => named(args.policy.as_deref().unwrap_or("default")).map_err(Unusable)?,
        };
        let goals = source.build()?.goals;
        Ok(Self {
            source,
            goal: goals.of(&args.model, Goal::default()),
            model: args.model.clone(),
            seed: args.seed,
            explains: args.explain,
        })
    }

    /// A decider to which nothing has been said.
    pub(super) fn decider(&self) -> Decider {
        let decisions = self.source.build().expect("built before from the same");
        let decider = Decider::new(decisions.pipelines, &self.model, self.seed);
        if self.explains {
            decider.explaining()
        } else {
            decider
        }
    }

    /// Adds the objectives of the model to a request that has none.
    pub(super) fn complete(&self, ask: &mut Ask) {
        let own = &self.goal.objectives;
        ask.ttft_slo_ms = ask.ttft_slo_ms.or(own.ttft_ms.map(f64::from));
        ask.tpot_slo_ms = ask.tpot_slo_ms.or(own.tpot_ms.map(f64::from));
    }
}

impl Source {
    fn build(&self) -> anyhow::Result<Decisions> {
        match self {
            Self::Named(spec) => Ok(Decisions {
                pipelines: Pipelines::new(ModelPipelines::build(&Registry::builtin(), spec)?),
                goals: Goals::default(),
            }),
            Self::File { text, path } => {
                Ok(config::read_decisions(text, path, &Environment::Process)?)
            }
        }
    }
}

fn named(name: &str) -> anyhow::Result<Source> {
    let spec = policies::resolve(name).ok_or_else(|| {
        let known: Vec<_> = policies::known().iter().map(|(name, _)| *name).collect();
        anyhow!("unknown policy `{name}`; known: {}", known.join(", "))
    })?;
    Ok(Source::Named(Box::new(spec)))
}
