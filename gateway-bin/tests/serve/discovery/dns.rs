//! Names that are looked up again when their time is up, at a name server over a real socket.

use std::net::{IpAddr, Ipv4Addr};

use gateway_bin::{Options, Running};
use gateway_sim::{
    engine::{Flavour, RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
};
use tokio::sync::watch;

use super::{
    help::{chat, until},
    name_server::{NameServer, at, srv},
};
use crate::rig;

const SERVICE: &str = "_http._tcp.engines.test.";
const HOST: &str = "pool.engines.test.";

fn place(engine: &RunningEngine) -> (Ipv4Addr, u16) {
    match engine.addr().ip() {
        IpAddr::V4(ip) => (ip, engine.addr().port()),
        IpAddr::V6(ip) => panic!("{ip}"),
    }
}

async fn started(server: &NameServer, source: &str) -> Running {
    started_with(server, source, "kind: vllm, models: [m]").await
}

async fn started_with(server: &NameServer, source: &str, endpoint: &str) -> Running {
    let more = format!(
        "discovery:\n  dns:\n  - {{{source}, server: \"{}\", every: 1s, hold: 10ms, endpoint: {{{endpoint}}}}}\n",
        server.addr
    );
    rig::start(&rig::yaml(&[], "", &more), Options::default()).await
}

async fn until_listed(gateway: &Running, source: &str, count: usize) {
    let line = format!("gateway_endpoints{{source=\"{source}\",state=\"listed\"}} {count}");
    until(gateway, &line).await;
}

/// Chats one after another until `stop` says so; every one must succeed. Gives how many there were.
async fn chats(gateway: &Running, stop: watch::Receiver<bool>) -> usize {
    let mut served = 0;
    while !*stop.borrow() {
        assert_eq!(chat(gateway).await, 200, "after {served}");
        served += 1;
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn services_come_and_go_while_requests_run() {
    let engines = rig::engines(2, 100.0).await;
    let server = NameServer::start().await;
    let say = |hosts: &[usize]| {
        let one = |&n: &usize| {
            let host = format!("e{n}.engines.test.");
            let (ip, port) = place(&engines[n]);
            [srv(SERVICE, 1, &host, port), at(&host, 1, ip)]
        };
        server.say(hosts.iter().flat_map(one).collect());
    };
    say(&[0]);
    let source = format!("name: rack, host: {SERVICE}, records: services");
    let gateway = started(&server, &source).await;
    until_listed(&gateway, "rack", 1).await;
    let (stop, stopped) = watch::channel(false);
    let changes = async {
        say(&[0, 1]);
        until_listed(&gateway, "rack", 2).await;
        say(&[1]);
        until_listed(&gateway, "rack", 1).await;
        // Everybody is missing for once, which is no reason to let everybody go.
        say(&[]);
        let asked = server.asked();
        while server.asked() < asked + 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
    };
    let (served, ()) = tokio::join!(chats(&gateway, stopped), changes);
    assert!(served > 0);
    let metrics = gateway.metrics();
    let served = |n: usize| {
        format!(
            "gateway_endpoint_requests_total{{endpoint=\"rack/e{n}.engines.test:{}\"",
            engines[n].addr().port()
        )
    };
    assert!(
        metrics.contains(&served(1)) && !metrics.contains(&served(0)),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_with_a_management_port_are_asked_there() {
    let mut config = SimConfig::new("m", ChipProfile::named("8b-h100").expect("known"));
    config.flavour = Flavour::Mindie;
    config.time_scale = 100.0;
    config.management = Some(config.listen);
    let engine = SimEngine::start(config).await.expect("it starts");
    let management = engine.management_addr().expect("a port of its own").port();
    let server = NameServer::start().await;
    let (ip, port) = place(&engine);
    server.say(vec![at(HOST, 1, ip)]);
    let source = format!("name: npu, host: {HOST}, port: {port}");
    let template = format!("management_port: {management}");
    let gateway = started_with(&server, &source, &template).await;
    assert_eq!(chat(&gateway).await, 200, "kind and model were found");
    let up = format!(
        "gateway_endpoint_up{{endpoint=\"npu/{}\"}} 1",
        engine.addr()
    );
    until(&gateway, &up).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_a_name_share_its_port() {
    let engines = rig::engines(1, 100.0).await;
    let server = NameServer::start().await;
    let (ip, port) = place(&engines[0]);
    server.say(vec![
        at(HOST, 1, ip),
        at(HOST, 1, Ipv4Addr::new(127, 0, 0, 77)),
    ]);
    let source = format!("name: pool, host: {HOST}, port: {port}");
    let gateway = started(&server, &source).await;
    until_listed(&gateway, "pool", 2).await;
    // Nobody listens at the other address: it is met and left alone.
    for _ in 0..5 {
        assert_eq!(chat(&gateway).await, 200);
    }
    server.say(vec![at(HOST, 1, ip)]);
    until_listed(&gateway, "pool", 1).await;
    assert_eq!(chat(&gateway).await, 200);
}
