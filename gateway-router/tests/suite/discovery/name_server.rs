//! A name server whose answers a test may change.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, SRV},
    },
};
use tokio::{net::UdpSocket, task::AbortHandle};

#[derive(Clone, Debug, Default)]
pub(super) struct Zone {
    pub(super) records: Vec<Record>,
    /// What names without records get, and with a failure all.
    pub(super) code: Option<ResponseCode>,
    /// What all questions of a kind get.
    pub(super) failing: Option<(RecordType, ResponseCode)>,
}

pub(super) struct NameServer {
    pub(super) addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<u64>>,
    task: AbortHandle,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NameServer {
    pub(super) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let addr = socket.local_addr().expect("bound");
        let (zone, asked) = (Arc::<Mutex<Zone>>::default(), Arc::<Mutex<u64>>::default());
        let task = tokio::spawn(serve(socket, Arc::clone(&zone), Arc::clone(&asked)));
        Self {
            addr,
            zone,
            asked,
            task: task.abort_handle(),
        }
    }

    pub(super) fn say(&self, records: Vec<Record>) {
        *lock(&self.zone) = Zone {
            records,
            ..Zone::default()
        };
    }

    pub(super) fn fail_on(&self, kind: RecordType, code: ResponseCode) {
        lock(&self.zone).failing = Some((kind, code));
    }

    pub(super) fn fail(&self, code: ResponseCode) {
        lock(&self.zone).code = Some(code);
    }

    pub(super) fn asked(&self) -> u64 {
        *lock(&self.asked)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>, asked: Arc<Mutex<u64>>) {
    let mut buffer = [0; 4096];
    while let Ok((size, from)) = socket.recv_from(&mut buffer).await {
        let question = Message::from_vec(&buffer[..size]).expect("a question");
        *lock(&asked) += 1;
        let answer = answer(&question, &lock(&zone).clone());
        let bytes = answer.to_vec().expect("an answer");
        socket.send_to(&bytes, from).await.expect("sent");
    }
}

fn answer(question: &Message, zone: &Zone) -> Message {
    let query = question.queries.first().expect("one query").clone();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.authoritative = true;
    let failing = zone.failing.filter(|(kind, _)| *kind == query.query_type());
    match failing.map(|(_, code)| code).or(zone.code) {
        Some(code) => answer.metadata.response_code = code,
        None => {
            let fits = |record: &&Record| {
                record.name == *query.name() && record.record_type() == query.query_type()
            };
            answer.add_answers(zone.records.iter().filter(fits).cloned());
        }
    }
    answer.add_query(query);
    answer
}

fn record(name: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(Name::from_utf8(name).expect("a name"), ttl, data)
}

pub(super) fn a(name: &str, ttl: u32, last: u8) -> Record {
    at(name, ttl, Ipv4Addr::new(10, 0, 0, last))
}

pub(super) fn at(name: &str, ttl: u32, ip: Ipv4Addr) -> Record {
    record(name, ttl, RData::A(A(ip)))
}

pub(super) fn aaaa(name: &str, ttl: u32, last: u16) -> Record {
    let ip = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last);
    record(name, ttl, RData::AAAA(AAAA(ip)))
}

pub(super) fn srv(name: &str, ttl: u32, host: &str, port: u16) -> Record {
    let host = Name::from_utf8(host).expect("a name");
    record(name, ttl, RData::SRV(SRV::new(1, 2, port, host)))
}
