//! What can be asked on the command line. Some of it is secret, so none of it can be shown by `Debug`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand};

/// Routes LLM requests to the engine that serves them best.
#[derive(Parser)]
#[command(name = "gateway", version)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Serve in front of engines
    Serve(ServeArgs),
    /// Serve in front of four simulated engines; needs nothing else
    Demo(DemoArgs),
    /// Check a configuration file and say what is wrong, and where
    Check(CheckArgs),
    /// Print the JSON schema of the configuration file
    Schema,
    /// Run one simulated engine
    SimEngine(SimArgs),
    /// Hash a key for the configuration file, or make one
    HashKey(HashArgs),
}

#[derive(ClapArgs)]
pub(super) struct ServeArgs {
    /// The configuration file; reloaded when it changes and on SIGHUP
    #[arg(long, value_name = "FILE", conflicts_with = "engine")]
    pub(super) config: Option<PathBuf>,
    /// An engine's address, such as http://10.0.0.7:8000; its kind and models are detected. May be repeated
    #[arg(long, value_name = "URL", required_unless_present = "config")]
    pub(super) engine: Vec<String>,
    /// Where to serve clients [default: 127.0.0.1:8080, or the file's]
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// The key that clients send; without one, one is made and printed
    #[arg(long, env = "GATEWAY_KEY", hide_env_values = true)]
    pub(super) key: Option<String>,
}

#[derive(ClapArgs)]
pub(super) struct DemoArgs {
    /// Where to serve clients
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// The key that clients send; without one, one is made and printed
    #[arg(long, env = "GATEWAY_KEY", hide_env_values = true)]
    pub(super) key: Option<String>,
}

#[derive(ClapArgs)]
pub(super) struct CheckArgs {
    /// The configuration file
    pub(super) file: PathBuf,
}

#[derive(ClapArgs)]
pub(super) struct SimArgs {
    /// Where to serve; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub(super) listen: SocketAddr,
    /// The model's name
    #[arg(long, default_value = "demo")]
    pub(super) model: String,
    /// The chip and model size that set its speed
    #[arg(long, default_value = super::sim_engine::DEFAULT_PROFILE)]
    pub(super) profile: String,
    /// How many times as fast as real time it runs
    #[arg(long, default_value_t = 1.0)]
    pub(super) speed: f64,
    /// The port on loopback where KV events are published; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    pub(super) kv_events: Option<u16>,
    /// The key it asks for; none where unset
    #[arg(long)]
    pub(super) api_key: Option<String>,
    /// Decides faults that strike by chance
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

#[derive(ClapArgs)]
pub(super) struct HashArgs {
    /// The key; `-` reads it from standard input, without one a new key is made
    pub(super) key: Option<String>,
}
