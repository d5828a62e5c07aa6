//! Names against a name server over a real socket.

use std::time::Duration;

use gateway_router::discovery::{Dns, DnsRecords, DnsSettings, Reporter, Seen, Sightings};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use tokio::{sync::watch, task::AbortHandle};

use super::{
    name_server::{NameServer, a, aaaa, srv},
    places, until,
};
use crate::common::within;

struct Followed {
    heard: watch::Receiver<Sightings<Seen>>,
    task: AbortHandle,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Looks often, and takes for gone at once whoever is missing from an answer that names others.
fn follow(server: &NameServer, name: &str, records: DnsRecords) -> Followed {
    let settings = DnsSettings {
        server: Some(server.addr),
        every_at_least: Duration::from_millis(5),
        every: Duration::from_millis(20),
        hold: Duration::ZERO,
        ..DnsSettings::new(name, records)
    };
    let (reporter, heard) = Reporter::new();
    let source = Dns::new(settings).expect("a name");
    let task = tokio::spawn(source.follow(reporter)).abort_handle();
    Followed { heard, task }
}

/// Waits until the server was asked a few times more.
async fn asked_again(server: &NameServer) {
    let before = server.asked();
    let again = async {
        while server.asked() < before + 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(again).await;
}

#[tokio::test]
async fn addresses_of_both_families_come_and_go() {
    let server = NameServer::start().await;
    server.say(vec![
        a("engines.test.", 0, 2),
        a("engines.test.", 0, 1),
        aaaa("engines.test.", 0, 7),
    ]);
    let mut source = follow(
        &server,
        "engines.test.",
        DnsRecords::Addresses { port: 8000 },
    );
    let all = [
        "10.0.0.1:8000 10.0.0.1:8000",
        "10.0.0.2:8000 10.0.0.2:8000",
        "[fd00::7]:8000 [fd00::7]:8000",
    ];
    until(&mut source.heard, |now| places(now) == all).await;
    server.say(vec![a("engines.test.", 0, 2)]);
    let now = until(&mut source.heard, |now| places(now) == all[1..2]).await;
    assert_eq!((now.is_up, now.changes, now.failures), (true, 2, 0));
}

#[tokio::test]
async fn a_family_that_fails_takes_nobody_away() {
    let server = NameServer::start().await;
    let name = "engines.test.";
    server.say(vec![a(name, 0, 1), aaaa(name, 0, 7)]);
    let mut source = follow(&server, name, DnsRecords::Addresses { port: 80 });
    until(&mut source.heard, |now| now.list.len() == 2).await;
    server.fail_on(RecordType::A, ResponseCode::ServFail);
    let now = until(&mut source.heard, |now| now.failures > 2).await;
    assert_eq!((now.list.len(), now.changes), (2, 1));
    // The other family still counts.
    server.say(vec![a(name, 0, 9), aaaa(name, 0, 8)]);
    server.fail_on(RecordType::A, ResponseCode::ServFail);
    let mixed = ["10.0.0.1:80 10.0.0.1:80", "[fd00::8]:80 [fd00::8]:80"];
    until(&mut source.heard, |now| places(now) == mixed).await;
}

#[tokio::test]
async fn a_host_of_both_families_is_one_engine_and_keeps_its_name() {
    let server = NameServer::start().await;
    let name = "_http._tcp.engines.test.";
    let service = srv(name, 0, "e0.test.", 80);
    server.say(vec![
        service.clone(),
        a("e0.test.", 0, 1),
        aaaa("e0.test.", 0, 7),
    ]);
    let mut source = follow(&server, name, DnsRecords::Services);
    let now = until(&mut source.heard, |now| now.has_answered).await;
    assert_eq!(places(&now), ["e0.test:80 10.0.0.1:80"]);
    server.say(vec![service, a("e0.test.", 0, 1), a("e0.test.", 0, 2)]);
    let now = until(&mut source.heard, |now| now.list.len() == 2).await;
    assert_eq!(
        places(&now),
        ["10.0.0.2:80 10.0.0.2:80", "e0.test:80 10.0.0.1:80"]
    );
}

#[tokio::test]
async fn services_bring_their_ports_and_keep_the_name_of_their_host() {
    let server = NameServer::start().await;
    let name = "_http._tcp.engines.test.";
    let two = |host: u8| {
        vec![
            srv(name, 0, "e0.test.", 8000),
            srv(name, 0, "e1.test.", 8001),
            a("e0.test.", 0, host),
            a("e1.test.", 0, 1),
            a("e1.test.", 0, 2),
        ]
    };
    server.say(two(9));
    let mut source = follow(&server, name, DnsRecords::Services);
    let several = ["10.0.0.1:8001 10.0.0.1:8001", "10.0.0.2:8001 10.0.0.2:8001"];
    let all = |first| [&several[..], &[first]].concat();
    let now = until(&mut source.heard, |now| now.list.len() == 3).await;
    assert_eq!(places(&now), all("e0.test:8000 10.0.0.9:8000"));
    assert_eq!(now.list[2].labels["srv-priority"], "1");
    server.say(two(10));
    until(&mut source.heard, |now| {
        places(now) == all("e0.test:8000 10.0.0.10:8000")
    })
    .await;
}

#[tokio::test]
async fn failures_and_empty_answers_keep_the_last_good_list() {
    let server = NameServer::start().await;
    server.say(vec![a("engines.test.", 0, 1)]);
    let mut source = follow(&server, "engines.test.", DnsRecords::Addresses { port: 80 });
    until(&mut source.heard, |now| now.list.len() == 1).await;
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        server.fail(code);
        let before = source.heard.borrow().failures;
        let now = until(&mut source.heard, |now| now.failures > before + 1).await;
        assert_eq!((now.list.len(), now.is_up), (1, false), "{code}");
    }
    server.fail(ResponseCode::NXDomain);
    until(&mut source.heard, |now| now.is_up).await;
    asked_again(&server).await;
    server.say(Vec::new());
    asked_again(&server).await;
    let now = source.heard.borrow().clone();
    assert_eq!((now.list.len(), now.changes, now.is_up), (1, 1, true));
    server.say(vec![a("engines.test.", 0, 2)]);
    until(&mut source.heard, |now| now.changes == 2).await;
}

#[tokio::test]
async fn a_service_whose_host_cannot_be_looked_up_takes_nobody_away() {
    let server = NameServer::start().await;
    let name = "_http._tcp.engines.test.";
    let services = || vec![srv(name, 0, "e0.test.", 80), a("e0.test.", 0, 1)];
    server.say(services());
    let mut source = follow(&server, name, DnsRecords::Services);
    until(&mut source.heard, |now| now.list.len() == 1).await;
    // Its address is missing for now.
    server.say(services()[..1].to_vec());
    asked_again(&server).await;
    assert_eq!(places(&source.heard.borrow()), ["e0.test:80 10.0.0.1:80"]);
}

#[tokio::test]
async fn an_answer_is_not_asked_for_again_before_its_time_is_up() {
    let server = NameServer::start().await;
    server.say(vec![a("engines.test.", 3600, 1)]);
    let settings = DnsSettings {
        server: Some(server.addr),
        every_at_least: Duration::from_millis(1),
        every: Duration::from_secs(3600),
        ..DnsSettings::new("engines.test.", DnsRecords::Addresses { port: 80 })
    };
    let (reporter, mut heard) = Reporter::new();
    let source = Dns::new(settings).expect("a name");
    let task = tokio::spawn(source.follow(reporter));
    until(&mut heard, |now| now.has_answered).await;
    let asked = server.asked();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.asked(), asked);
    task.abort();
}

#[test]
fn what_is_no_name_is_refused() {
    let settings = DnsSettings::new("a..b", DnsRecords::Services);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let _inside = runtime.as_ref().expect("a runtime").enter();
    assert!(Dns::new(settings).is_err());
}
