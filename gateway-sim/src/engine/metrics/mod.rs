//! The metrics page, under vLLM's names.

mod families;
mod page;

pub(super) use families::render;
