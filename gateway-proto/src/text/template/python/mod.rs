//! Python's values as templates see them: how they print, compare and answer methods.
//!
//! The template engine has values of its own. What comes from a request is held in [`Dict`], [`List`] and [`Number`]
//! instead, which keep the order of members and print as Python prints.

mod dict;
mod dumps;
mod filters;
mod functions;
mod generator;
mod list;
mod loads;
mod methods;
mod number;
mod repr;
mod strings;
mod tests_of_values;

pub(super) use dict::Dict;
pub(super) use filters::install as install_filters;
pub(super) use functions::{ITERATE, MARKUP, Raised, install as install_functions};
pub(super) use list::List;
pub(super) use loads::loads;
pub(super) use methods::{SLICE, call as call_method};
pub(super) use repr::write_str;
pub(super) use tests_of_values::install as install_tests;
