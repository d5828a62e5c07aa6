//! Processes under test: started, read through `/proc`, stopped by id.

mod child;
mod usage;

pub(crate) use child::Child;
pub(crate) use usage::{Cpu, Usage};
