//! Reports as engines sent them, and after their sources where there is no recording.

use gateway_core::load::Telemetry;

use super::*;
use crate::openai::testing::reply_body;

#[test]
fn sglang_as_recorded() {
    let recorded = reply_body(include_str!("../../testdata/sglang/v1_loads.txt"));
    let expected = Telemetry {
        running: Some(0),
        waiting: Some(0),
        kv_used: Some(0.0),
        kv_capacity_tokens: Some(8192),
        ..Telemetry::default()
    };
    let read = LoadReport::SglangLoads.read(recorded.as_bytes());
    assert_eq!(read, expected);
}

#[test]
fn ranks_of_sglang_add_up_and_the_fullest_speaks_for_the_cache() {
    let said = br#"{"loads":[
        {"dp_rank":0,"num_running_reqs":3,"num_waiting_reqs":1,"token_usage":0.25,"max_total_num_tokens":1000},
        {"dp_rank":1,"num_running_reqs":4,"num_waiting_reqs":null,"token_usage":0.75,"max_total_num_tokens":1000},
        {"dp_rank":2,"num_running_reqs":-1,"token_usage":7.0}]}"#;
    let expected = Telemetry {
        running: Some(7),
        waiting: Some(1),
        kv_used: Some(0.75),
        kv_capacity_tokens: Some(2000),
        ..Telemetry::default()
    };
    assert_eq!(LoadReport::SglangLoads.read(said), expected);
    let old = br#"[{"dp_rank":0,"num_reqs":5,"num_waiting_reqs":2,"num_tokens":9},{"dp_rank":1,"num_reqs":1,"num_waiting_reqs":3}]"#;
    let read = LoadReport::SglangLoad.read(old);
    assert_eq!((read.running, read.waiting), (Some(3), Some(5)));
}

#[test]
fn mindie_as_its_source_says() {
    let said = br#"{"service":{"roleStatus":"RoleReady","currentRole":"none"},
        "resource":{"availSlotsNum":190,"availBlockNum":750,"waitingRequestNum":2,"runningRequestNum":8,
        "swappedRequestNum":1,"freeNpuBlockNums":750,"freeCpuBlockNums":0,"totalNpuBlockNums":1000,"totalCpuBlockNums":0},
        "linkStatus":{"peers":[]}}"#;
    let expected = Telemetry {
        running: Some(8),
        waiting: Some(3),
        kv_used: Some(0.25),
        ..Telemetry::default()
    };
    assert_eq!(LoadReport::MindieStatus.read(said), expected);
}

#[test]
fn the_latest_iteration_of_trtllm_counts() {
    let said = br#"[
        {"iter":153,"numActiveRequests":99,"numQueuedRequests":9},
        {"iter":154,"iterLatencyMS":7.0,"numActiveRequests":5,"numQueuedRequests":3,"kvCacheStats":{"allocNewBlocks":4,
         "cacheHitRate":0.85,"freeNumBlocks":400,"maxNumBlocks":1000,"missedBlocks":20,"reusedBlocks":10,
         "tokensPerBlock":64,"usedNumBlocks":600},"inflightBatchingStats":null}]"#;
    let expected = Telemetry {
        running: Some(5),
        waiting: Some(3),
        kv_used: Some(0.6),
        kv_capacity_tokens: Some(64_000),
        block_tokens: Some(64),
        prefix_queries_tokens: Some(1920),
        prefix_hits_tokens: Some(640),
        ..Telemetry::default()
    };
    assert_eq!(LoadReport::TrtllmIterations.read(said), expected);
    let by_rank = br#"[{"attentionDpRank":0,"numActiveRequests":9},{"attentionDpRank":1,"numActiveRequests":2},
        {"attentionDpRank":0,"numActiveRequests":1,"kvCacheStats":null}]"#;
    let read = LoadReport::TrtllmIterations.read(by_rank);
    assert_eq!(read.running, Some(3));
    let nothing = LoadReport::TrtllmIterations.read(b"[]");
    assert_eq!(nothing, Telemetry::default());
}

#[test]
fn slots_of_llamacpp_as_recorded_and_at_work() {
    let recorded = reply_body(include_str!("../../testdata/llamacpp/slots.txt"));
    let expected = Telemetry {
        running: Some(0),
        kv_used: Some(0.0),
        kv_capacity_tokens: Some(4096),
        ..Telemetry::default()
    };
    let read = LoadReport::LlamacppSlots.read(recorded.as_bytes());
    assert_eq!(read, expected);
    let busy = br#"[{"id":0,"n_ctx":1000,"is_processing":true,"n_prompt_tokens":400,"next_token":[{"n_decoded":100}]},
        {"id":1,"n_ctx":1000,"is_processing":false,"n_prompt_tokens":900}]"#;
    let read = LoadReport::LlamacppSlots.read(busy);
    assert_eq!((read.running, read.kv_used), (Some(1), Some(0.25)));
    // As older servers write it, and with numbers that no slot has.
    let older = br#"[{"n_ctx":1000,"is_processing":true,"n_prompt_tokens":400,"next_token":{"n_decoded":100}}]"#;
    let read = LoadReport::LlamacppSlots.read(older);
    assert_eq!((read.running, read.kv_used), (Some(1), Some(0.5)));
    let absurd = br#"[{"n_ctx":1,"is_processing":true,"n_prompt_tokens":18446744073709551615},
        {"n_ctx":1,"is_processing":true,"n_prompt_tokens":18446744073709551615}]"#;
    assert_eq!(LoadReport::LlamacppSlots.read(absurd).running, Some(2));
}

#[test]
fn what_makes_no_sense_is_unknown() {
    let reports = [
        LoadReport::SglangLoads,
        LoadReport::SglangLoad,
        LoadReport::MindieStatus,
        LoadReport::TrtllmIterations,
        LoadReport::LlamacppSlots,
    ];
    for report in reports {
        for odd in ["", "<html>", "{}", "[]", "null", "[7]", r#"{"loads":{}}"#] {
            let mut read = report.read(odd.as_bytes());
            // No slots are no requests.
            read.running = read.running.filter(|running| *running > 0);
            assert_eq!(read, Telemetry::default(), "{report:?} of {odd:?}");
        }
    }
}

#[test]
fn a_second_reading_fills_what_the_first_leaves_open() {
    let first = Telemetry {
        running: Some(1),
        ..Telemetry::default()
    };
    let second = Telemetry {
        running: Some(7),
        prompt_tokens: Some(9),
        ..Telemetry::default()
    };
    let both = completed(first, second);
    assert_eq!((both.running, both.prompt_tokens), (Some(1), Some(9)));
}

#[test]
fn one_rank_of_sglang_is_read_alone() {
    let said =
        br#"{"loads":[{"dp_rank":0,"num_running_reqs":3},{"dp_rank":1,"num_running_reqs":4}]}"#;
    let of = |rank| LoadReport::SglangLoads.read_rank(said, rank).running;
    assert_eq!(
        [of(Some(0)), of(Some(1)), of(None)],
        [Some(3), Some(4), Some(7)]
    );
    let old = br#"[{"dp_rank":0,"num_reqs":5,"num_waiting_reqs":2},{"dp_rank":1,"num_reqs":1}]"#;
    assert_eq!(
        LoadReport::SglangLoad.read_rank(old, Some(1)).running,
        Some(1)
    );
}
