//! Pods and slices of an API server, as Kubernetes 1.34 writes them.

use gateway_router::{
    Target,
    discovery::{
        Kubernetes, KubernetesPort, KubernetesSettings, Reporter, Resource, Seen, Sightings,
    },
};
use tokio::{sync::watch, task::AbortHandle};

use super::{
    api_server::{ApiServer, Watch},
    places, until,
};

struct Followed {
    server: ApiServer,
    heard: watch::Receiver<Sightings<Seen>>,
    task: AbortHandle,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(resource: Resource, change: impl FnOnce(&mut KubernetesSettings)) -> Followed {
    let server = ApiServer::start().await;
    let target = Target::parse(&format!("http://{}", server.addr())).expect("an address");
    let mut settings = KubernetesSettings::new(target, resource, "app=vllm");
    settings.namespace = Some("ml".to_owned());
    change(&mut settings);
    let (reporter, heard) = Reporter::new();
    let task = tokio::spawn(Kubernetes::new(settings).follow(reporter)).abort_handle();
    Followed {
        server,
        heard,
        task,
    }
}

impl Followed {
    async fn until(&mut self, expected: &[&str]) -> Sightings<Seen> {
        until(&mut self.heard, |now| {
            now.has_answered && places(now) == expected
        })
        .await
    }

    /// Answers a list, and begins the watch that follows it.
    async fn listed(&mut self, version: &str, items: &[String]) -> Watch {
        let list = self.server.next().await;
        assert!(!list.path.contains("watch="), "{}", list.path);
        list.answer(200, &self::list(version, "", items)).await;
        self.watched(version).await
    }

    async fn watched(&mut self, version: &str) -> Watch {
        let watch = self.server.next().await;
        let from = format!("resourceVersion={version}");
        assert!(
            watch.path.contains("watch=1") && watch.path.ends_with(&from),
            "{}",
            watch.path
        );
        watch.stream().await
    }
}

fn list(version: &str, next: &str, items: &[String]) -> String {
    let items = items.join(",");
    format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}","continue":"{next}"}},"items":[{items}]}}"#
    )
}

struct Pod {
    name: &'static str,
    uid: &'static str,
    version: u32,
    ip: &'static str,
    ready: bool,
    restarts: u32,
    more: &'static str,
}

const POD: Pod = Pod {
    name: "a",
    uid: "u1",
    version: 10,
    ip: "10.1.0.1",
    ready: true,
    restarts: 0,
    more: "",
};

impl Pod {
    fn json(&self) -> String {
        let Self {
            name,
            uid,
            version,
            ip,
            restarts,
            more,
            ..
        } = self;
        let ready = if self.ready { "True" } else { "False" };
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ml","uid":"{uid}","resourceVersion":"{version}","creationTimestamp":"2026-01-01T00:00:00Z","labels":{{"app":"vllm","chip":"h100","role":"x"}}{more}}},
            "spec":{{"containers":[{{"name":"side","ports":null}},{{"name":"vllm","ports":[{{"name":"metrics","containerPort":9000,"protocol":"TCP"}},{{"name":"http","containerPort":8000}}]}}]}},
            "status":{{"phase":"Running","podIP":"{ip}","conditions":[{{"type":"Initialized","status":"True"}},{{"type":"Ready","status":"{ready}"}}],"containerStatuses":[{{"name":"vllm","restartCount":{restarts}}}]}}}}"#
        )
        .replace('\n', " ")
    }
}

#[tokio::test]
async fn pods_are_added_changed_and_deleted() {
    let mut source = follow(Resource::Pods, |settings| {
        settings.port = Some(KubernetesPort::Named("http".to_owned()));
        settings.labels = vec!["chip".to_owned(), "absent".to_owned()];
    })
    .await;
    let waiting = Pod {
        name: "b",
        uid: "u2",
        ip: "",
        ready: false,
        ..POD
    };
    let mut watch = source.listed("10", &[POD.json(), waiting.json()]).await;
    let now = source.until(&["a 10.1.0.1:8000"]).await;
    let labels: Vec<_> = now.list[0].labels.iter().collect();
    assert_eq!(labels, [(&"chip".to_owned(), &"h100".to_owned())]);
    assert_eq!(now.list[0].process.as_deref(), Some("u1/0"));

    let ready = Pod {
        ip: "10.1.0.2",
        ready: true,
        version: 11,
        ..waiting
    };
    watch.event("MODIFIED", &ready.json()).await;
    source.until(&["a 10.1.0.1:8000", "b 10.1.0.2:8000"]).await;
    let restarted = Pod {
        restarts: 1,
        version: 12,
        ..POD
    };
    watch.event("MODIFIED", &restarted.json()).await;
    until(&mut source.heard, |now| {
        now.list[0].process.as_deref() == Some("u1/1")
    })
    .await;
    let leaving = Pod {
        more: r#","deletionTimestamp":"2026-01-01T00:00:01Z""#,
        version: 13,
        ..ready
    };
    watch.event("MODIFIED", &leaving.json()).await;
    source.until(&["a 10.1.0.1:8000"]).await;
    let added = Pod {
        name: "c",
        uid: "u3",
        ip: "10.1.0.3",
        version: 14,
        ..POD
    };
    watch.event("ADDED", &added.json()).await;
    source.until(&["a 10.1.0.1:8000", "c 10.1.0.3:8000"]).await;
    watch.event("DELETED", &restarted.json()).await;
    source.until(&["c 10.1.0.3:8000"]).await;
}

#[tokio::test]
async fn events_may_be_split_anywhere_and_unknown_ones_are_left_out() {
    let mut source = follow(Resource::Pods, |_| {}).await;
    let mut watch = source.listed("10", &[]).await;
    source.until(&[]).await;
    let line = format!("{{\"type\":\"ADDED\",\"object\":{}}}\n", POD.json());
    watch
        .send("{\"type\":\"NEWS\",\"object\":{\"a\":[1]}}\n\n")
        .await;
    for part in line.as_bytes().chunks(7) {
        watch.send(std::str::from_utf8(part).expect("plain")).await;
    }
    source.until(&["a 10.1.0.1:9000"]).await;
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_from_the_last_bookmark() {
    let mut source = follow(Resource::Pods, |_| {}).await;
    let mut watch = source.listed("10", &[POD.json()]).await;
    let bookmark = r#"{"kind":"Pod","metadata":{"resourceVersion":"77","annotations":{}},"spec":{"containers":null},"status":{}}"#;
    watch.event("BOOKMARK", bookmark).await;
    watch.end().await;
    let mut watch = source.watched("77").await;
    source.until(&["a 10.1.0.1:9000"]).await;
    watch
        .event("DELETED", &Pod { version: 78, ..POD }.json())
        .await;
    source.until(&[]).await;
}

#[tokio::test]
async fn a_version_that_is_gone_means_a_new_list() {
    let mut source = follow(Resource::Pods, |_| {}).await;
    let gone = r#"{"kind":"Status","status":"Failure","message":"too old resource version: 10 (90)","reason":"Expired","code":410}"#;
    let mut watch = source.listed("10", &[POD.json()]).await;
    source.until(&["a 10.1.0.1:9000"]).await;
    watch.event("ERROR", gone).await;
    // The pod went while nobody watched.
    let other = Pod { name: "b", ..POD };
    let watch = source.listed("90", &[other.json()]).await;
    source.until(&["b 10.1.0.1:9000"]).await;
    drop(watch);
    // As a status of the answer itself.
    let again = source.server.next().await;
    again.answer(410, gone).await;
    let _watch = source.listed("91", &[]).await;
    source.until(&[]).await;
}

#[tokio::test]
async fn a_server_that_fails_keeps_the_list_and_is_asked_again() {
    let mut source = follow(Resource::Pods, |_| {}).await;
    let first = source.server.next().await;
    first.answer(403, "{}").await;
    let watch = source.listed("10", &[POD.json()]).await;
    source.until(&["a 10.1.0.1:9000"]).await;
    let failures = source.heard.borrow().failures;
    drop(watch);
    source.server.next().await.answer(500, "{}").await;
    let mut watch = source.watched("10").await;
    let now = source.heard.borrow().clone();
    assert!(now.failures > failures && now.list.len() == 1, "{now:?}");
    watch
        .event(
            "ADDED",
            &Pod {
                name: "b",
                version: 11,
                ..POD
            }
            .json(),
        )
        .await;
    let now = source.until(&["a 10.1.0.1:9000", "b 10.1.0.1:9000"]).await;
    assert!(now.is_up);
}

#[tokio::test]
async fn long_lists_come_in_pages_and_the_token_is_read_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "one\n").expect("written");
    let token_file = Some(file.clone());
    let mut source = follow(Resource::Pods, |settings| settings.token_file = token_file).await;
    let page = source.server.next().await;
    assert_eq!(
        (&*page.path, page.authorization.as_deref()),
        (
            "/api/v1/namespaces/ml/pods?labelSelector=app%3Dvllm&limit=500",
            Some("Bearer one")
        )
    );
    std::fs::write(&file, "two").expect("written");
    page.answer(200, &list("10", "n+1=", &[POD.json()])).await;
    let page = source.server.next().await;
    assert!(
        page.path.ends_with("&limit=500&continue=n%2B1%3D"),
        "{}",
        page.path
    );
    assert_eq!(page.authorization.as_deref(), Some("Bearer two"));
    page.answer(200, &list("10", "", &[Pod { name: "b", ..POD }.json()]))
        .await;
    source.until(&["a 10.1.0.1:9000", "b 10.1.0.1:9000"]).await;
}

#[tokio::test]
async fn slices_list_the_ready_addresses_behind_a_service() {
    let mut source = follow(Resource::EndpointSlices, |settings| {
        settings.port = Some(KubernetesPort::Named("http".to_owned()));
    })
    .await;
    let slice = r#"{"metadata":{"name":"vllm-x","namespace":"ml","uid":"s","resourceVersion":"5","labels":{"kubernetes.io/service-name":"vllm"}},
        "addressType":"IPv4","ports":[{"name":"metrics","port":1},{"name":"http","port":8000,"protocol":"TCP"}],
        "endpoints":[{"addresses":["10.1.0.1"],"conditions":{"ready":true,"serving":true,"terminating":false},"targetRef":{"kind":"Pod","name":"a","uid":"u1"}},
        {"addresses":["10.1.0.2"],"conditions":{"ready":false},"targetRef":{"kind":"Pod","name":"b","uid":"u2"}},
        {"addresses":["10.1.0.3"],"conditions":{"ready":true,"terminating":true}},
        {"addresses":["10.1.0.4"],"conditions":{}}]}"#.replace('\n', " ");
    // During a move a pod may be in two slices.
    let twin = slice.replace("vllm-x", "vllm-y");
    let mut watch = source.listed("5", &[slice, twin]).await;
    let now = source
        .until(&["10.1.0.4 10.1.0.4:8000", "a 10.1.0.1:8000"])
        .await;
    assert_eq!(now.list[1].process.as_deref(), Some("u1"));
    for name in ["vllm-x", "vllm-y"] {
        let empty = format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"ml","resourceVersion":"6"}},"addressType":"IPv4","ports":null,"endpoints":null}}"#
        );
        watch.event("MODIFIED", &empty).await;
    }
    source.until(&[]).await;
}
