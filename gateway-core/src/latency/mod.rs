//! What an engine will take: predicted times of a request on an endpoint, and how they are learned.
//!
//! The model of an engine is the time of one step of continuous batching ([`StepCosts`]): a linear function of new prompt
//! tokens, decoding sequences and their context. Its constants start from the chip's data sheet ([`Hardware`]) and are
//! then learned from what requests really took, in two layers: one set of weights for all endpoints of a class, and a
//! speed factor for each endpoint, which follows a degraded node within tens of requests.
//!
//! [`Forecast`] puts the model and the work in flight together.

mod accuracy;
mod chips;
mod costs;
mod engine;
mod forecast;
mod hardware;
mod learned;
mod outputs;
mod regression;
mod speed;

pub use accuracy::{Accuracy, RATIO_BUCKETS};
pub use chips::Chip;
pub use costs::{PromptWork, StepCosts};
pub use engine::{
    ClassModel, DecodeSample, EngineModel, LearnedClass, LearnedEngine, PrefillSample,
};
pub use forecast::Forecast;
pub use hardware::Hardware;
pub use learned::{Learned, LearnedError};
pub use outputs::{LearnedOutput, OutputKey, OutputLengths};
