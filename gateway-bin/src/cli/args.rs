//! What can be asked on the command line. Some of it is secret, so none of it can be shown by `Debug`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

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
    SimEngine(Box<SimArgs>),
    /// Compare routing policies on a simulated fleet, and find how much each can carry
    ///
    /// Plays recorded or generated traffic against a described fleet in virtual time, once for each policy and seed, and
    /// prints times to the first token (TTFT), between tokens (ITL, TPOT) and to the end (E2E), cache hits, goodput (the share
    /// of requests within their objectives) and how evenly engines were busy.
    Simulate(Box<SimulateArgs>),
    /// Answer where requests go, asked by JSON lines on standard input
    ///
    /// The pipelines that serve traffic, driven from outside in virtual time: to try a configuration on recorded traffic,
    /// to compare policies in a simulator of your own, to call the router from another language.
    Decide(DecideArgs),
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
    /// The folder of a real model's tokenizer and template, whose tokens it then speaks; no weights are needed
    #[arg(long, value_name = "DIR")]
    pub(super) model_dir: Option<PathBuf>,
    /// What it says to which prompt, in JSON: rules of `when` (a regular expression), `unless` and `reply`
    #[arg(long, value_name = "FILE", requires = "model_dir")]
    pub(super) script: Option<PathBuf>,
    /// Whose HTTP surface it has
    #[arg(long, value_name = "ENGINE", default_value = "vllm")]
    pub(super) flavour: SimFlavour,
    /// Give only what is new in each event of SGLang's `/generate`, as SGLang with `--incremental-streaming-output`
    #[arg(long)]
    pub(super) incremental_streams: bool,
    /// The chip and model size that set its speed
    #[arg(long, default_value = super::sim_engine::DEFAULT_PROFILE)]
    pub(super) profile: String,
    /// How many times as fast as real time it runs
    #[arg(long, default_value_t = 1.0)]
    pub(super) speed: f64,
    /// The port on loopback where KV events are published; 0 takes a free one. TensorRT-LLM's surface has no such port: it
    /// keeps events for `POST /kv_cache_events`; those of MindIE, llama.cpp and TGI have no events
    #[arg(long, value_name = "PORT")]
    pub(super) kv_events: Option<u16>,
    /// A subscriber that it connects to with its KV events, instead of binding a port
    #[arg(long, value_name = "ADDR", conflicts_with = "kv_events")]
    pub(super) kv_connect: Option<SocketAddr>,
    /// The topic of its KV events [default: kv@localhost@MODEL]
    #[arg(long)]
    pub(super) kv_topic: Option<String>,
    /// The port on loopback where missed KV events can be asked for [default: a free one]
    #[arg(long, value_name = "PORT")]
    pub(super) kv_replay: Option<u16>,
    /// Write KV events as arrays, as vLLM did up to 0.23
    #[arg(long)]
    pub(super) kv_arrays: bool,
    /// How blocks are named in KV events
    #[arg(long, value_name = "FORM", default_value = "unsigned")]
    pub(super) kv_hashes: KvHashes,
    /// Its part in prefill-decode pairs
    #[command(flatten)]
    pub(super) pair: super::sim_engine::PairArgs,
    /// Data-parallel ranks; each publishes KV events on the port of the one before plus one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) dp_ranks: u32,
    /// A LoRA adapter that is loaded from the start; may be given several times
    #[arg(long = "adapter", value_name = "NAME")]
    pub(super) adapters: Vec<String>,
    /// The key it asks for; none where unset
    #[arg(long)]
    pub(super) api_key: Option<String>,
    /// Decides faults that strike by chance
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
}

#[derive(ClapArgs)]
pub(super) struct DecideArgs {
    /// A configuration file of the gateway, of which only pipelines and objectives count [default: the default pipeline]
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    pub(super) config: Option<PathBuf>,
    /// A built-in policy, as `gateway simulate --list` names them
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,
    /// The model whose pipeline and objectives apply; those for all models where it has none of its own
    #[arg(long, value_name = "NAME", default_value = "any")]
    pub(super) model: String,
    /// Decides what is left to chance; equal input and seed give equal output
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Add the whole record of each decision to its answer
    #[arg(long)]
    pub(super) explain: bool,
    /// Serve connections to this Unix socket, one after the other, instead of standard input and output
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub(super) struct HashArgs {
    /// The key; `-` reads it from standard input, without one a new key is made
    pub(super) key: Option<String>,
}

#[derive(ClapArgs)]
#[command(group = ArgGroup::new("source").args(["scenario", "preset", "trace", "workload"]))]
#[command(after_help = "Examples:
  gateway simulate --list
  gateway simulate --preset chat-hbm --html report.html
  gateway simulate --workload agents --fleet 4x8b-h100,4x8b-l40s --requests-per-second 20 --capacity
  gateway simulate --trace access.jsonl --format log --fleet 6x8b-a100 --policy default --policy mine.yaml")]
pub(super) struct SimulateArgs {
    /// A scenario in YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub(super) scenario: Option<PathBuf>,
    /// A scenario that comes with the gateway
    #[arg(long, value_name = "NAME")]
    pub(super) preset: Option<String>,
    /// Recorded traffic
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// How the trace is written
    #[arg(long, default_value = "mooncake", requires = "trace")]
    pub(super) format: TraceFormat,
    /// Generated traffic of this kind, with the kind's default parameters
    #[arg(long, value_name = "KIND")]
    pub(super) workload: Option<String>,
    /// The engines: COUNTxPROFILE, after it `:prefill` or `:decode` and `+HOST_TOKENS` [default: 4x8b-h100, or the
    /// scenario's]
    #[arg(long, value_name = "CHIPS")]
    pub(super) fleet: Option<String>,
    /// A policy's name, or a configuration file of the gateway; may be repeated [default: all built-in ones, or the
    /// scenario's]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) policy: Vec<String>,
    /// How many times as fast requests come as the workload says
    #[arg(long, value_name = "FACTOR")]
    pub(super) rate: Option<f64>,
    /// The rate of generated traffic, before `--rate`
    #[arg(long, value_name = "RATE")]
    pub(super) requests_per_second: Option<f64>,
    /// How many requests are generated, or taken from a trace
    #[arg(long, value_name = "N")]
    pub(super) requests: Option<usize>,
    /// The objective for the first token, in milliseconds
    #[arg(long, value_name = "MS")]
    pub(super) ttft: Option<f64>,
    /// The objective for each token after it, in milliseconds
    #[arg(long, value_name = "MS")]
    pub(super) tpot: Option<f64>,
    /// How many runs with different chance each policy gets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) seeds: Option<u16>,
    /// Also find the highest rate at which 90 % of the requests meet their objectives
    #[arg(long)]
    pub(super) capacity: bool,
    /// Write the result as JSON; with `--list`, what there is, presets as scenario files hold them
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write a report with plots
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Show presets, policies, workloads and chips, and do nothing else
    #[arg(long)]
    pub(super) list: bool,
}

/// Whose HTTP surface a simulated engine has.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SimFlavour {
    /// vLLM's
    Vllm,
    /// SGLang's
    Sglang,
    /// MindIE-LLM's
    Mindie,
    /// trtllm-serve's
    Trtllm,
    /// llama.cpp's server's
    Llamacpp,
    /// Text Generation Inference's
    Tgi,
}

/// How blocks are named in KV events.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KvHashes {
    /// Unsigned numbers of 64 bits, as vLLM's default
    Unsigned,
    /// Signed numbers of 64 bits, as SGLang's
    Signed,
    /// Digests of 32 bytes, as vLLM without `VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES`
    Raw,
}

/// How a trace is written.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum TraceFormat {
    /// JSON lines with block ids, one each 512 tokens
    Mooncake,
    /// CSV of time, prompt and output tokens
    Azure,
    /// The gateway's own log in JSON
    Log,
}
