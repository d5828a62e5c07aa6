use std::{sync::Arc, time::Duration};

use gateway_core::{EndpointSpec, Fleet, Timestamp, load::Telemetry};
use gateway_router::{
    Ending, ErrorKind, Gaps, Leg, ReportSink as _, Resumption, RouteReport, Stuck,
    proto::{ir::Usage, openai::Api},
};

use super::{door::Door, *};
use crate::log::LostLines;

fn report(model: &str, ending: Ending) -> RouteReport {
    let mut gaps = Gaps::default();
    gaps.add(1_500);
    gaps.add(20_000);
    RouteReport {
        request_id: "r".into(),
        leg: Leg::default(),
        api: Api::ChatCompletions,
        model: model.into(),
        stream: true,
        endpoint: Some("a".into()),
        attempts: 3,
        ending,
        stuck: None,
        status: Some(200),
        queued: Duration::ZERO,
        decision_micros: 7,
        ttft: Some(Duration::from_millis(30)),
        predicted_ttft: Some(Duration::from_millis(25)),
        total: Duration::from_secs(2),
        gaps,
        prompt_tokens_estimate: 100,
        cached_tokens_estimate: 60,
        usage: Some(Usage {
            prompt_tokens: 90,
            completion_tokens: 5,
            cached_tokens: Some(64),
            reasoning_tokens: None,
        }),
        pair: None,
        hedge: None,
    }
}

fn fleet() -> Fleet {
    Fleet::new([
        EndpointSpec::new("a").model("m\"1").adapter("lora"),
        EndpointSpec::new("b"),
    ])
    .expect("valid")
}

#[test]
fn a_report_is_found_on_the_page() {
    let (metrics, fleet) = (Metrics::new(LostLines::default()), fleet());
    metrics.follow(&fleet);
    metrics.report(&report("m\"1", Ending::Completed));
    metrics.report(&report("unheard of", Ending::Failed(ErrorKind::Timeout)));
    metrics.answered(Api::Completions, Some("lora"), 200);
    metrics.answered(Api::Completions, None, 418);
    metrics.door.reject(Rejection::Key);
    metrics.door.reloaded(true);
    let reading = Telemetry {
        running: Some(3),
        kv_used: Some(0.5),
        ..Telemetry::default()
    };
    let state = Arc::clone(fleet.endpoints()[0].state());
    state.apply(&state.mark(Timestamp::ZERO), &reading);

    let page = page(&metrics, &fleet, &[], Timestamp::from_micros(1_500_000));
    for line in [
        "gateway_requests_total{api=\"completions\",model=\"lora\",status=\"200\"} 1",
        "gateway_requests_total{api=\"completions\",model=\"other\",status=\"other\"} 1",
        "gateway_time_to_first_token_seconds_bucket{model=\"m\\\"1\",le=\"0.025\"} 0",
        "gateway_time_to_first_token_seconds_bucket{model=\"m\\\"1\",le=\"0.05\"} 1",
        "gateway_inter_token_seconds_bucket{model=\"m\\\"1\",le=\"0.0025\"} 1",
        "gateway_inter_token_seconds_bucket{model=\"m\\\"1\",le=\"0.02\"} 2",
        "gateway_inter_token_seconds_sum{model=\"m\\\"1\"} 0.0215",
        "gateway_inter_token_seconds_count{model=\"other\"} 2",
        "gateway_decision_seconds_bucket{model=\"other\",le=\"0.00001\"} 1",
        "gateway_retries_total{model=\"other\"} 2",
        "gateway_cached_tokens_total{model=\"other\"} 64",
        "gateway_endpoint_requests_total{endpoint=\"a\",outcome=\"completed\"} 1",
        "gateway_endpoint_requests_total{endpoint=\"a\",outcome=\"timeout\"} 1",
        "gateway_endpoint_running{endpoint=\"a\"} 3",
        "gateway_endpoint_kv_used{endpoint=\"a\"} 0.5",
        "gateway_endpoint_telemetry_age_seconds{endpoint=\"a\"} 1.5",
        "gateway_endpoint_state{endpoint=\"b\",state=\"up\"} 1",
        "gateway_rejected_total{reason=\"key\"} 1",
        "gateway_reloads_total{result=\"taken\"} 1",
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "{line} is not in\n{page}"
        );
    }
    assert!(!page.contains("unheard of"), "labels are bounded");
    assert!(
        !page.contains("gateway_endpoint_running{endpoint=\"b\"}"),
        "what is not known is not shown"
    );
}

#[test]
fn a_prompt_counts_once_however_many_calls_answer_it() {
    let (metrics, fleet) = (Metrics::new(LostLines::default()), fleet());
    metrics.follow(&fleet);
    let mut told = report("lora", Ending::Completed);
    metrics.report(&told);
    told.leg.number = 1;
    metrics.report(&told);
    told.leg = Leg {
        strand: 1,
        repeats_prompt: true,
        ..Leg::default()
    };
    metrics.report(&told);
    let page = page(&metrics, &fleet, &[], Timestamp::ZERO);
    for line in [
        "gateway_prompt_tokens_total{model=\"lora\"} 90",
        "gateway_cached_tokens_total{model=\"lora\"} 64",
        "gateway_completion_tokens_total{model=\"lora\"} 15",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
}

#[test]
fn answers_that_engines_failed_are_counted_by_what_came_of_them() {
    let (metrics, fleet) = (Metrics::new(LostLines::default()), fleet());
    metrics.follow(&fleet);
    let mut broken = report("lora", Ending::Resumed(ErrorKind::Broken));
    metrics.report(&broken);
    let mut taken = report("lora", Ending::Completed);
    taken.leg.resumes = Some(Resumption {
        number: 1,
        cause: ErrorKind::Broken,
        deaths: 1,
        lost_at: None,
        recomputed_tokens: 95,
    });
    metrics.report(&taken);
    taken.status = None;
    taken.ending = Ending::Cancelled;
    metrics.report(&taken);
    broken.ending = Ending::Failed(ErrorKind::Timeout);
    broken.stuck = Some(Stuck::Budget);
    metrics.report(&broken);
    let page = page(&metrics, &fleet, &[], Timestamp::ZERO);
    let counted = |cause: &str, result: &str| {
        format!(
            "gateway_migrations_total{{model=\"lora\",cause=\"{cause}\",result=\"{result}\"}} 1"
        )
    };
    for line in [
        counted("broken", "continued"),
        counted("broken", "cancelled"),
        counted("timeout", "budget"),
        "gateway_recomputed_tokens_total{model=\"lora\"} 95".to_owned(),
        "gateway_endpoint_requests_total{endpoint=\"a\",outcome=\"broken\"} 1".to_owned(),
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    assert_eq!(page.matches("gateway_migrations_total{").count(), 3);
}

#[test]
fn every_family_is_documented() {
    let docs = include_str!("../../../docs/metrics.md");
    let metrics = Metrics::new(LostLines::default());
    let page = page(&metrics, &fleet(), &[], Timestamp::ZERO);
    let families = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let missing: Vec<_> = families
        .filter(|name| !docs.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in docs/metrics.md: {missing:?}");
}

#[test]
fn counts_survive_a_reload_for_those_that_stay() {
    let (metrics, first) = (Metrics::new(LostLines::default()), fleet());
    metrics.follow(&first);
    metrics.report(&report("lora", Ending::Completed));
    metrics.follow(
        &first
            .with_endpoints([EndpointSpec::new("a").model("lora")])
            .expect("valid"),
    );
    let page = page(&metrics, &first, &[], Timestamp::ZERO);
    assert!(page.contains("gateway_retries_total{model=\"lora\"} 2"));
    assert!(!page.contains("m\\\"1"));
}

#[test]
fn connections_are_bounded_and_counted() {
    let door = Door::default();
    let first = door.connection(1).expect("the first fits");
    assert!(door.connection(1).is_none());
    drop(first);
    assert!(door.connection(1).is_some());
}
