//! Every family against its table, and what must hold of any output.

mod golden;
mod harness;
mod prompt;
mod soup;
