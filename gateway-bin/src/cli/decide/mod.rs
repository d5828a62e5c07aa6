//! `gateway decide`: the decision core as a line protocol.

mod json;
mod lines;
mod policy;
mod session;
mod socket;

use std::io::{BufReader, stdin, stdout};

pub(super) use lines::BadLine;

use self::{policy::Policy, session::Session};
use super::args::DecideArgs;

pub(super) fn run(args: &DecideArgs) -> anyhow::Result<()> {
    let policy = Policy::new(args)?;
    match &args.socket {
        Some(path) => socket::serve(path, &policy),
        None => Session::new(&policy).run(BufReader::new(stdin().lock()), stdout().lock()),
    }
}
