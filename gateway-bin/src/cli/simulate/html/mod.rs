//! The report: one HTML file that needs nothing else, not even a script.

mod axis;
mod escape;
mod loads;
mod page;
mod plot;
mod rows;
#[cfg(test)]
mod tests;

pub(super) use page::page;
