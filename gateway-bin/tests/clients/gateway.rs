//! The binary itself, as a process.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// How often to look whether a gateway is ready, and the time between two looks.
const READY_LOOKS: u32 = 3_000;
const READY_PAUSE: Duration = Duration::from_millis(20);

/// A gateway that serves, killed when dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Gateway {
    /// Starts it on a free port with `settings`, which lack `listen`, below `folder`.
    pub(crate) fn start(folder: &Path, settings: &str) -> Self {
        let config = folder.join("gateway.yaml");
        let text = format!("listen: 127.0.0.1:0\nlog: {{ level: warn }}\n{settings}");
        std::fs::write(&config, text).expect("the configuration is written");
        let mut process = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gateway starts");
        let stdout = process.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a line of text");
        let address = line.trim().rsplit("http://").next().expect("never empty");
        let Ok(address) = address.parse() else {
            panic!("the gateway printed no address but `{line}`");
        };
        let gateway = Self { address, process };
        gateway.wait_until_ready();
        gateway
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn wait_until_ready(&self) {
        for _ in 0..READY_LOOKS {
            if self.page("/ready").starts_with("HTTP/1.1 200") {
                return;
            }
            thread::sleep(READY_PAUSE);
        }
        panic!("the gateway does not become ready");
    }

    /// How many requests were answered, by API and status.
    pub(crate) fn answered(&self) -> BTreeMap<(String, u16), u64> {
        let page = self.page("/metrics");
        let mut answered = BTreeMap::new();
        for line in page.lines() {
            let Some(rest) = line.strip_prefix("gateway_requests_total{") else {
                continue;
            };
            let (labels, count) = rest.rsplit_once("} ").expect("a sample");
            let count: u64 = count.parse().expect("a count");
            let status = label(labels, "status").parse().unwrap_or_default();
            if count > 0 {
                *answered
                    .entry((label(labels, "api").to_owned(), status))
                    .or_default() += count;
            }
        }
        answered
    }

    /// A counter over all its labels.
    pub(crate) fn total(&self, family: &str) -> u64 {
        let page = self.page("/metrics");
        let samples = page.lines().filter(|line| line.starts_with(family));
        let values = samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        values.sum()
    }

    fn page(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("the gateway accepts");
        let request = format!("GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("it answers");
        page
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// The value of one of a sample's labels.
fn label<'a>(labels: &'a str, name: &str) -> &'a str {
    let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| *key == name);
    found.map_or("", |(_, value)| value.trim_matches('"'))
}
