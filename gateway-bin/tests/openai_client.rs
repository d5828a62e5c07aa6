//! The real OpenAI client for Python, against the binary in front of simulated engines.
//!
//! The tests themselves are in `tests/python`; this starts what they talk to.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

use gateway_govern::keys::KeyHash;
use gateway_sim::engine::{RunningEngine, SimConfig, SimEngine};
use gateway_sim::model::ChipProfile;

const KEY: &str = "client-tests";
const LIMITED_KEY: &str = "client-tests-elsewhere";
const MODEL: &str = "steady";
const FAULTY_MODEL: &str = "faulty";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openai_client_for_python_is_served() {
    let engines = [
        engine(MODEL).await,
        engine(MODEL).await,
        engine(FAULTY_MODEL).await,
    ];
    let urls = engines.each_ref().map(RunningEngine::url);
    let folder = tempfile::tempdir().expect("a folder for the configuration");
    let gateway = Gateway::start(folder.path(), &urls);
    let environment = [
        ("GATEWAY_URL", format!("http://{}", gateway.address)),
        ("GATEWAY_KEY", KEY.into()),
        ("GATEWAY_LIMITED_KEY", LIMITED_KEY.into()),
        ("GATEWAY_MODEL", MODEL.into()),
        ("GATEWAY_ENGINES", urls[..2].join(",")),
        ("GATEWAY_FAULTY_MODEL", FAULTY_MODEL.into()),
        ("GATEWAY_FAULTY_ENGINE", urls[2].clone()),
    ];
    let tests = tokio::task::spawn_blocking(|| python_tests(environment));
    assert!(
        tests.await.expect("the tests do not panic"),
        "the Python tests failed, see above"
    );
}

async fn engine(model: &str) -> RunningEngine {
    let chip = ChipProfile::named("8b-h100").expect("a built-in profile");
    SimEngine::start(SimConfig::new(model, chip))
        .await
        .expect("an engine on a free port")
}

/// Runs the scripts in an environment of their own below the build folder; whether all passed.
fn python_tests(environment: [(&str, String); 7]) -> bool {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    Command::new("python3")
        .arg(scripts.join("run.py"))
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("openai-client"))
        .envs(environment)
        .status()
        .expect("python3 can be started")
        .success()
}

/// The binary itself, killed when dropped. The scripts wait until it is ready.
struct Gateway {
    address: SocketAddr,
    process: Child,
}

impl Gateway {
    fn start(folder: &Path, engines: &[String; 3]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("a bound address");
        drop(free);
        let config = folder.join("gateway.yaml");
        fs::write(&config, yaml(address, engines)).expect("the configuration is written");
        let process = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--config"])
            .arg(&config)
            .spawn()
            .expect("the gateway starts");
        Self { address, process }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}

fn yaml(address: SocketAddr, [first, second, faulty]: &[String; 3]) -> String {
    let (all, limited) = (KeyHash::of(KEY), KeyHash::of(LIMITED_KEY));
    format!(
        "listen: {address}\n\
         log: {{ level: warn }}\n\
         keys:\n\
         \x20 - {{ name: all, hash: \"{all}\" }}\n\
         \x20 - {{ name: limited, hash: \"{limited}\", models: [elsewhere] }}\n\
         models:\n\
         \x20 - {{ name: {MODEL} }}\n\
         \x20 - {{ name: {FAULTY_MODEL} }}\n\
         endpoints:\n\
         \x20 - {{ name: first, url: \"{first}\", kind: vllm, models: [{MODEL}] }}\n\
         \x20 - {{ name: second, url: \"{second}\", kind: vllm, models: [{MODEL}] }}\n\
         \x20 - {{ name: faulty, url: \"{faulty}\", kind: vllm, models: [{FAULTY_MODEL}] }}\n"
    )
}
