//! An engine over real sockets that answers each request by a function.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
    /// Which connection it came on, counted up.
    pub(crate) connection: usize,
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

type Answer = dyn Fn(&Came) -> (u16, String) + Send + Sync;

pub(crate) struct Answerer {
    pub(crate) addr: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    task: AbortHandle,
}

impl Drop for Answerer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answerer {
    pub(crate) async fn start(
        answer: impl Fn(&Came) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("bound");
        let came = Arc::<Mutex<Vec<Came>>>::default();
        let (log, answer) = (
            Arc::clone(&came),
            Arc::<Answer>::from(Box::new(answer) as Box<Answer>),
        );
        let task = tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((socket, _)) = listener.accept().await {
                connection += 1;
                tokio::spawn(serve(
                    socket,
                    connection,
                    Arc::clone(&log),
                    Arc::clone(&answer),
                ));
            }
        });
        Self {
            addr,
            came,
            task: task.abort_handle(),
        }
    }

    /// The requests to `path` so far.
    pub(crate) fn came(&self, path: &str) -> Vec<Came> {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        came.iter()
            .filter(|one| one.path == path)
            .cloned()
            .collect()
    }
}

async fn serve(
    mut socket: TcpStream,
    connection: usize,
    log: Arc<Mutex<Vec<Came>>>,
    answer: Arc<Answer>,
) {
    while let Some(came) = read(&mut socket, connection).await {
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(came.clone());
        let (status, body) = answer(&came);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if socket.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(socket: &mut TcpStream, connection: usize) -> Option<Came> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("text");
    let mut came = Came {
        path: head.split(' ').nth(1).expect("a path").to_owned(),
        head,
        body: String::new(),
        connection,
    };
    let length = came
        .header("content-length")
        .map_or(0, |text| text.parse().expect("a length"));
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    came.body = String::from_utf8(body).expect("text");
    Some(came)
}
