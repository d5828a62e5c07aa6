//! LoRA adapters that engines load while they run.
//!
//! Which adapters an engine has is read from its list of models, again and again ([`WatchSettings`](crate::WatchSettings)). One that
//! nobody has and that may be loaded ([`AdapterSettings::loadable`]) is loaded where the decision sends the first request
//! for it: once, however many ask for it at the same time.

mod load;
mod settings;

pub(crate) use load::{Loader, failure};
pub use settings::{AdapterSettings, LoadableAdapter};
