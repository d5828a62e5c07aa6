//! What it costs to have a prompt computed on one engine and its answer on another.
//!
//! Simulated engines that compute in no time, a gateway, and callers of an open loop, on one machine. The same request is
//! asked of one engine and of a pair, by the callers themselves, with the very bodies that the gateway would send, and
//! through the gateway. So three shares of the time to the first token can be told apart: what the gateway adds to a
//! request to one engine, what a hand-over adds by itself (the engines' share), and what the gateway adds to a hand-over.
//!
//! `cargo run --release -p gateway-pairs-bench [-- --quick]`

#![expect(
    clippy::print_stdout,
    reason = "a program that measures, and prints what it measured"
)]

mod asker;
mod engines;
mod load;
mod question;
mod sheet;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use gateway_benches::{Gateway, Model};
use gateway_proto::engines::transfer::Connector;

use crate::asker::{Asker, Scene, Subject};
use crate::engines::Engines;
use crate::load::{Plan, open_loop};
use crate::question::{PROMPT_BYTES, Questions, Way};
use crate::sheet::{Round, Sheet, Times};

/// What is measured: serial hand-overs, then those of both legs at once.
const CONNECTORS: [Connector; 4] = [
    Connector::Nixl,
    Connector::TrtLlm,
    Connector::Sglang,
    Connector::Mooncake,
];
/// Requests a second.
const RATE: u32 = 100;
/// Requests before anything is measured: connections are opened, caches filled.
const WARM_UP: u64 = 60;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Amount {
    rounds: usize,
    requests: u64,
}

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let amount = match quick {
        true => Amount {
            rounds: 1,
            requests: 60,
        },
        false => Amount {
            rounds: 5,
            requests: 400,
        },
    };
    let binary = testkit::gateway_binary()?;
    println!(
        "Prompts of {PROMPT_BYTES} bytes, {RATE} a second; medians of {} rounds of {} requests\n",
        amount.rounds, amount.requests
    );
    println!("{}", Sheet::HEAD);
    for connector in CONNECTORS {
        for (way, sheet) in Way::ALL
            .into_iter()
            .zip(measure(&binary, connector, amount)?)
        {
            println!("{}", sheet.row(connector.name(), way.name()));
        }
    }
    Ok(())
}

/// One connector, both ways. Each round goes through everything, backwards every other time.
fn measure(binary: &Path, connector: Connector, amount: Amount) -> Result<[Sheet; 2]> {
    let engines = Engines::start(connector)?;
    let gateway = Gateway::start(binary, &engines.configuration(&Model::Small.folder()))?;
    let mut bed = Bed {
        connector,
        questions: Questions::new(connector),
        engines,
        gateway,
        asked: 0,
        handed_over: 0,
    };
    let mut sheets = [Sheet::default(), Sheet::default()];
    for round in 0..amount.rounds {
        for (way, sheet) in Way::ALL.into_iter().zip(&mut sheets) {
            sheet.add(bed.round(way, amount.requests, round % 2 == 1)?);
        }
    }
    bed.engines.check(bed.handed_over)?;
    Ok(sheets)
}

struct Bed {
    connector: Connector,
    questions: Questions,
    engines: Engines,
    gateway: Gateway,
    /// Requests so far: no two prompts are alike.
    asked: u64,
    handed_over: u64,
}

impl Bed {
    fn round(&mut self, way: Way, requests: u64, backwards: bool) -> Result<Round> {
        let mut order = Subject::ALL;
        if backwards {
            order.reverse();
        }
        let mut round = Round::default();
        for subject in order {
            self.ask(way, subject, WARM_UP)?;
            round.put(subject, self.ask(way, subject, requests)?);
        }
        Ok(round)
    }

    fn ask(&mut self, way: Way, subject: Subject, count: u64) -> Result<Times> {
        let scene = Scene {
            connector: self.connector,
            way,
            subject,
            engines: &self.engines,
            gateway: self.gateway.address(),
            questions: &self.questions,
        };
        let plan = Plan {
            first: self.asked,
            count,
            every: Duration::from_secs(1) / RATE,
        };
        let before = self.gateway.cpu()?;
        let first_tokens = open_loop(plan, || Asker::connect(scene))?;
        let cpu = self.gateway.cpu()?.saturating_sub(before);
        self.asked += count;
        self.handed_over += u64::from(subject.hands_over()) * count;
        Ok(Times::new(&first_tokens, cpu, count))
    }
}
