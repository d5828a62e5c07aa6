//! The processes: simulated engines that serve one model, and the gateway before them.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use gateway_govern::keys::KeyHash;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    child::{self, Child},
    client::KEY,
    wire,
};

pub(crate) const ENGINES: usize = 4;
/// Model seconds in a second: some fifteen tokens of a stream in a second, so that debug builds keep up with all streams.
const SPEED: &str = "0.12";

/// An engine's place, whatever process is in it.
pub(crate) struct Engine {
    pub(crate) name: String,
    address: SocketAddr,
    /// None where it is dead.
    process: Option<Child>,
    pub(crate) is_stopped: bool,
}

/// Bounds for streams that live through many blows, and eyes that see each of them soon.
pub(crate) const LONG_SUFFERING: &str = "deadlines: {connect: 2s, first_byte: 5s, idle: 2s, total: 5m}\n\
    retry: {attempts: 8, budget_burst: 5000}\n\
    migration: {attempts: 32, budget_burst: 50000}\n\
    watch: {probe_every: 200ms, probe_timeout: 5s, back_off_at_most: 500ms}\n";

pub(crate) struct Fleet {
    pub(crate) gateway: SocketAddr,
    pub(crate) engines: Vec<Engine>,
    process: Child,
    folder: TempDir,
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway-proto/testdata/models/small")
}

/// A port that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

/// What the model says; bytes of a character may come in several tokens.
fn script() -> String {
    let tale = "Märchen $1: »Es war einmal« — 昔々 🐉 number $1, and nobody knew it better. ";
    let news = "<think>Of $1, then.</think>There is nothing new of $1; of $1 there never is. ";
    let rules = json!([
        {"when": "Tell tale ([0-9]+)", "reply": tale.repeat(4)},
        {"when": "What of ([0-9]+)", "reply": news.repeat(4)},
    ]);
    json!({"opening": "<|im_start|>assistant\n", "rules": rules}).to_string()
}

impl Fleet {
    /// A fleet under a gateway with `bounds`, lines of its configuration; empty for those that it has of itself.
    pub(crate) async fn start(bounds: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("script.json"), script()).expect("written");
        let engines = (0..ENGINES).map(|at| Engine {
            name: format!("e{at}"),
            address: free_address(),
            process: None,
            is_stopped: false,
        });
        let mut engines: Vec<_> = engines.collect();
        for engine in &mut engines {
            engine.start(folder.path());
        }
        let file = folder.path().join("gateway.yaml");
        std::fs::write(&file, configuration(&engines, bounds)).expect("written");
        let (process, gateway) = Child::serve(&file);
        let fleet = Self {
            gateway,
            engines,
            process,
            folder,
        };
        fleet.until_all_are_known().await;
        fleet
    }

    pub(crate) fn restart(&mut self, at: usize) {
        self.engines[at].start(self.folder.path());
    }

    pub(crate) fn gateway_pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits until the gateway knows of each engine whether it serves.
    pub(crate) async fn until_all_are_known(&self) {
        for _ in 0..600 {
            let page = self.metrics().await;
            let is_known = |engine: &Engine| {
                let up = u8::from(engine.serves());
                let line = format!("gateway_endpoint_up{{endpoint=\"{}\"}} {up}", engine.name);
                page.lines().any(|found| found == line)
            };
            if self.engines.iter().all(is_known) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!(
            "the gateway does not see its engines: {}",
            self.metrics().await
        );
    }

    async fn metrics(&self) -> String {
        let head = "GET /metrics HTTP/1.1\r\n";
        let reply = wire::exchange(self.gateway, head, "", |_| {}).await;
        reply.expect("the gateway answers").body
    }

    /// Waits until the gateway's books hold no request on any engine.
    pub(crate) async fn until_nothing_is_left(&self) {
        let mut page = String::new();
        for _ in 0..100 {
            page = self.metrics().await;
            let lines = page.lines();
            let mut held = lines.filter(|line| line.starts_with("gateway_endpoint_in_flight{"));
            if held.all(|line| line.ends_with(" 0")) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("load is left on an engine: {page}");
    }

    /// Answers that another engine took up.
    pub(crate) async fn migrations(&self) -> usize {
        let page = self.metrics().await;
        let lines = page
            .lines()
            .filter(|line| line.starts_with("gateway_migrations_total"));
        let continued = lines.filter(|line| line.contains("\"continued\""));
        let counts = continued.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        counts.sum()
    }
}

impl Engine {
    pub(crate) fn is_alive(&self) -> bool {
        self.process.is_some()
    }

    pub(crate) fn serves(&self) -> bool {
        self.is_alive() && !self.is_stopped
    }

    pub(crate) fn kill(&mut self) {
        // Dropped, it is killed and waited for.
        self.process = None;
        self.is_stopped = false;
    }

    pub(crate) fn stop(&mut self) {
        self.signal("-STOP");
        self.is_stopped = true;
    }

    pub(crate) fn go_on(&mut self) {
        self.signal("-CONT");
        self.is_stopped = false;
    }

    fn signal(&self, name: &str) {
        self.process.as_ref().expect("it lives").signal(name);
    }

    fn start(&mut self, folder: &Path) {
        let mut command = child::gateway();
        command
            .args(["sim-engine", "--model", "m", "--speed", SPEED])
            .args(["--listen", &self.address.to_string()])
            .arg("--model-dir")
            .arg(model())
            .arg("--script")
            .arg(folder.join("script.json"))
            .stderr(Stdio::null());
        let mut child = Child(command.spawn().expect("it starts"));
        let stdout = child.0.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(line.contains("listens on"), "{line}");
        self.process = Some(child);
    }
}

fn configuration(engines: &[Engine], bounds: &str) -> String {
    let hash = KeyHash::of(KEY);
    let files = serde_json::to_string(&model()).expect("a name");
    let mut yaml = format!(
        "listen: 127.0.0.1:0\nthreads: 2\nkeys: [{{name: all, hash: \"{hash}\"}}]\n\
         models: [{{name: m, tokens: {{files: {files}}}}}]\n\
         {bounds}log: {{level: error}}\nendpoints:\n"
    );
    for Engine { name, address, .. } in engines {
        let line =
            format!("  - {{name: {name}, url: \"http://{address}\", kind: vllm, models: [m]}}\n");
        yaml.write_str(&line).expect("memory");
    }
    yaml
}
