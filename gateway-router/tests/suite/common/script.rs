//! An engine that does on each connection exactly what its script says.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::{wire, within};

/// What the engine does next on a connection. When the steps are over it closes the connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Reads one whole request and keeps it.
    Read,
    /// Writes these bytes.
    Say(String),
    /// Answers every request with these bytes until the caller closes the connection.
    Serve(String),
    /// Lets what was said so far arrive by itself.
    Pause,
    /// Keeps the connection until the caller closes it.
    Stay,
    /// Stops listening, for good.
    Die,
}

/// Reads a request, writes these bytes, closes.
pub(crate) fn say(reply: impl Into<String>) -> Vec<Step> {
    vec![Step::Read, Step::Say(reply.into())]
}

/// The same, but keeps the connection until the caller closes it.
pub(crate) fn say_and_stay(reply: impl Into<String>) -> Vec<Step> {
    vec![Step::Read, Step::Say(reply.into()), Step::Stay]
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Request line and headers, in lower case but for values.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Heard {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }
}

#[derive(Default)]
struct Log {
    accepted: AtomicUsize,
    heard: Mutex<Vec<Heard>>,
    left: watch::Sender<usize>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

/// An engine on a loopback port that lives as long as this handle.
pub(crate) struct ScriptEngine {
    pub(crate) addr: SocketAddr,
    log: Arc<Log>,
}

impl ScriptEngine {
    /// Follows the first script on the first connection, the second on the second; closes later ones at once.
    pub(crate) async fn on_each(scripts: Vec<Vec<Step>>) -> Self {
        let mut scripts = scripts.into_iter();
        Self::start(move || scripts.next().unwrap_or_default()).await
    }

    /// Follows the same script on every connection.
    pub(crate) async fn always(script: Vec<Step>) -> Self {
        Self::start(move || script.clone()).await
    }

    /// An engine that serves.
    pub(crate) async fn good() -> Self {
        Self::always(vec![Step::Serve(wire::answer())]).await
    }

    async fn start(mut script: impl FnMut() -> Vec<Step> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let log = Arc::new(Log::default());
        let here = Arc::clone(&log);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                here.accepted.fetch_add(1, SeqCst);
                tokio::spawn(follow(script(), stream, Arc::clone(&here)));
            }
        });
        *lock(&log.listening) = Some(listening);
        Self { addr, log }
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.log.accepted.load(SeqCst)
    }

    /// Requests so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        lock(&self.log.heard).clone()
    }

    /// The only request so far.
    pub(crate) fn only(&self) -> Heard {
        let mut heard = self.heard();
        assert_eq!(heard.len(), 1, "one request");
        heard.remove(0)
    }

    /// Waits until callers have closed `count` connections on which the engine stayed.
    pub(crate) async fn left(&self, count: usize) {
        let mut left = self.log.left.subscribe();
        within(left.wait_for(|&now| now >= count))
            .await
            .expect("the log lives");
    }
}

impl Drop for ScriptEngine {
    fn drop(&mut self) {
        if let Some(listening) = lock(&self.log.listening).take() {
            listening.abort();
        }
    }
}

async fn follow(script: Vec<Step>, mut stream: TcpStream, log: Arc<Log>) {
    for step in script {
        // A caller that closes in the middle ends the script.
        if play(step, &mut stream, &log).await.is_err() {
            return;
        }
    }
}

async fn play(step: Step, stream: &mut TcpStream, log: &Log) -> io::Result<()> {
    match step {
        Step::Read => hear(stream, log).await?,
        Step::Serve(bytes) => {
            while hear(stream, log).await.is_ok() {
                stream.write_all(bytes.as_bytes()).await?;
            }
        }
        Step::Say(bytes) => stream.write_all(bytes.as_bytes()).await?,
        Step::Pause => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        Step::Stay => {
            let mut sink = [0; 1024];
            while matches!(stream.read(&mut sink).await, Ok(1..)) {}
            log.left.send_modify(|left| *left += 1);
        }
        Step::Die => {
            let listening = lock(&log.listening).take();
            if let Some(listening) = listening {
                listening.abort();
                // Aborted or ended: the listener is gone either way.
                let _ended = listening.await;
            }
        }
    }
    Ok(())
}

async fn hear(stream: &mut TcpStream, log: &Log) -> io::Result<()> {
    let heard = read_request(stream).await?;
    lock(&log.heard).push(heard);
    Ok(())
}

async fn read_request(stream: &mut TcpStream) -> io::Result<Heard> {
    let mut bytes = Vec::new();
    loop {
        if let Some(heard) = whole_request(&bytes) {
            return Ok(heard);
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn whole_request(bytes: &[u8]) -> Option<Heard> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut heard = Heard {
        head: head.to_owned(),
        body: String::new(),
    };
    let length = heard
        .header("content-length")
        .map_or(0, |n| n.parse().expect("a number"));
    heard.body = body.get(..length)?.to_owned();
    Some(heard)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
