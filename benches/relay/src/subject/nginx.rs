//! nginx as a plain reverse proxy: the floor that the gateway is compared with.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Launch, folder, free_address};
use crate::fault::Fault;

/// The Debian package.
const PACKAGE: &str = "nginx-light";

/// Installs nginx when it is missing.
///
/// # Errors
/// The package manager fails.
pub(crate) fn install() -> Result<(), Fault> {
    if version().is_some() {
        return Ok(());
    }
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", PACKAGE])
}

/// What `nginx -v` says, such as `nginx/1.22.1`; `None` when there is no nginx.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("nginx").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.split_whitespace()
        .find(|word| word.starts_with("nginx/"))
        .map(str::to_owned)
}

fn apt(arguments: &[&str]) -> Result<(), Fault> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let status = command.status().map_err(Fault::io("run apt-get"))?;
    let line = || format!("apt-get {}", arguments.join(" "));
    status
        .success()
        .then_some(())
        .ok_or_else(|| Fault::Command { command: line() })
}

/// nginx in front of `engines`, with its own configuration, prefix and temporary folders.
pub(super) fn launch(engines: [SocketAddr; 2]) -> Result<Launch, Fault> {
    let (folder, address) = (folder()?, free_address()?);
    let configuration = folder.path().join("nginx.conf");
    fs::write(&configuration, config(folder.path(), address, engines))
        .map_err(Fault::io("write nginx's configuration"))?;
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(&configuration)
        .args(["-g", "daemon off;"]);
    Ok(Launch {
        name: "nginx",
        command,
        address,
        folder,
    })
}

/// Two workers, connections kept on both sides, bodies of 20 KB in memory, no access log. Streams
/// are not buffered: the engine asks for that with `x-accel-buffering`.
fn config(prefix: &Path, listen: SocketAddr, [first, second]: [SocketAddr; 2]) -> String {
    let prefix = prefix.display();
    // Workers of a root master change to a user who cannot enter the prefix, unless told otherwise.
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    format!(
        "{user}
worker_processes 2;
error_log stderr warn;
pid {prefix}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    client_max_body_size 16m;
    client_body_temp_path {prefix}/body;
    proxy_temp_path {prefix}/proxy;
    fastcgi_temp_path {prefix}/fastcgi;
    uwsgi_temp_path {prefix}/uwsgi;
    scgi_temp_path {prefix}/scgi;
    upstream engines {{
        server {first};
        server {second};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://engines;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}
