//! An engine that answers each route with what a table says.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use gateway_router::Target;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::wire::reply;

type Table = Arc<Mutex<HashMap<String, (u16, String)>>>;

/// An engine on a loopback port that lives as long as this handle. Routes that are not in its table are 404, in the words of
/// Python's web frameworks.
pub(crate) struct TableEngine {
    addr: SocketAddr,
    table: Table,
    asked: Arc<Mutex<Vec<String>>>,
    listening: JoinHandle<()>,
}

impl TableEngine {
    /// Answers these routes with 200 and these bodies.
    pub(crate) async fn start(routes: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let (table, asked) = (Table::default(), Arc::default());
        let listening = tokio::spawn(listen(listener, Arc::clone(&table), Arc::clone(&asked)));
        let engine = Self {
            addr,
            table,
            asked,
            listening,
        };
        for (route, body) in routes {
            engine.say(route, 200, body);
        }
        engine
    }

    /// Answers a route so from now on.
    pub(crate) fn say(&self, route: &str, status: u16, body: &str) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(route.to_owned(), (status, body.to_owned()));
    }

    pub(crate) fn target(&self) -> Target {
        Target::parse(&format!("http://{}", self.addr)).expect("an address")
    }

    /// The routes asked for since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *asked)
    }
}

impl Drop for TableEngine {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, table: Table, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&table), Arc::clone(&asked)));
    }
}

/// Answers one request after the other; none of them has a body.
async fn serve(mut stream: TcpStream, table: Table, asked: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut bytes).await {
        if !bytes.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let route = head.split(' ').nth(1).unwrap_or_default().to_owned();
        bytes.clear();
        let said = {
            let table = table.lock().unwrap_or_else(PoisonError::into_inner);
            table.get(&route).cloned()
        };
        asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(route);
        let missing = || (404, r#"{"detail":"Not Found"}"#.to_owned());
        let (status, body) = said.unwrap_or_else(missing);
        if stream
            .write_all(reply(status, &body).as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}
