//! Every family against its table, and what must hold of any output.

mod converted;
mod detect;
mod golden;
mod harness;
mod prompt;
mod roundtrip;
mod soup;
