//! The order of things: prepare, measure round after round, report.

use crate::args::{Args, Relay};
use crate::clock::Clock;
use crate::engine;
use crate::fault::Fault;
use crate::load::Serials;
use crate::memory;
use crate::report::{self, Report};
use crate::round::{self, Measured};
use crate::subject::{self, Bench};

/// What one round gave.
#[derive(Debug)]
pub(crate) struct Round {
    /// The engines without a relay.
    pub(crate) direct: Measured,
    /// Each relay, in the order of the command line.
    pub(crate) relays: Vec<Measured>,
}

/// Does what the command line asks for.
///
/// # Errors
/// A relay cannot be had, does not serve or does not last; a scenario hangs; the report cannot be
/// written.
pub(crate) async fn run(args: &Args) -> Result<(), Fault> {
    let bench = prepare(args)?;
    let mut report = Report::begin(args);
    if args.memory {
        for &relay in &args.only {
            report.memory(relay, &memory::measure(&bench, relay, args).await?);
        }
        return report.finish(args.out.as_deref());
    }
    let mut rounds = Vec::new();
    for number in 0..args.rounds() {
        report::progress(&format!("round {} of {}", number + 1, args.rounds()));
        rounds.push(one_round(&bench, args, number).await?);
    }
    report.rounds(&args.only, &rounds);
    report.finish(args.out.as_deref())
}

fn prepare(args: &Args) -> Result<Bench, Fault> {
    if args.only.contains(&Relay::Nginx) {
        subject::install_nginx()?;
    }
    let gateway = match &args.gateway {
        Some(path) => Some(path.clone()),
        None if args.only.contains(&Relay::Gateway) => Some(testkit::gateway_binary()?),
        None => None,
    };
    let clock = Clock::start();
    Ok(Bench {
        engines: engine::start(clock)?,
        clock,
        serials: Serials::default(),
        gateway,
    })
}

/// Measures direct, then the relays, backwards in every other round: what drifts on the machine
/// hits each alike.
async fn one_round(bench: &Bench, args: &Args, number: u16) -> Result<Round, Fault> {
    let lengths = args.lengths();
    let direct = round::direct(bench, lengths).await?;
    let backwards = number % 2 == 1;
    let mut order = args.only.clone();
    if backwards {
        order.reverse();
    }
    let mut relays = Vec::new();
    for relay in order {
        relays.push(round::relay(bench, relay, lengths).await?);
    }
    if backwards {
        relays.reverse();
    }
    Ok(Round { direct, relays })
}
