use gateway_core::load::{AdapterUse, Telemetry};
use proptest::prelude::*;

use super::*;

macro_rules! page {
    ($path:literal) => {
        Scrape::parse(include_bytes!(concat!("../../testdata/", $path)), None)
    };
}

#[test]
fn vllm_page() {
    let scrape = page!("vllm/metrics_after.txt");
    assert_eq!(scrape.dialect, Some(Dialect::Vllm));
    assert_eq!(scrape.dropped, 0);
    insta::assert_debug_snapshot!(scrape.telemetry);
}

#[test]
fn vllm_page_of_two_ranks() {
    let scrape = page!("vllm/metrics_dp2.txt");
    let expected = Telemetry {
        running: Some(0),
        waiting: Some(0),
        kv_used: Some(0.0),
        kv_capacity_tokens: Some(2 * 2_097_152),
        block_tokens: Some(32),
        prefix_queries_tokens: Some(4),
        prefix_hits_tokens: Some(0),
        prompt_tokens: Some(4),
        generation_tokens: Some(32),
        preemptions: Some(0),
    };
    assert_eq!(scrape.telemetry, expected);
}

#[test]
fn of_vllms_series_of_adapters_the_newest_counts() {
    let scrape = page!("vllm/metrics_lora.txt");
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let expected = AdapterUse {
        slots: Some(2),
        running: names(&["law", "sql"]),
        waiting: names(&["chess"]),
    };
    assert_eq!((scrape.adapters, scrape.dropped), (Some(expected), 0));
    assert_eq!(page!("vllm/metrics_after.txt").adapters, None);
}

#[test]
fn an_idle_engine_computes_for_no_adapter_and_nonsense_is_counted() {
    let page = br#"vllm:num_requests_running 0
vllm:num_requests_waiting 0
vllm:lora_requests_info{max_lora="x",running_lora_adapters="a,,b"} 5
vllm:lora_requests_info{max_lora="2",running_lora_adapters="c"} NaN
vllm:lora_requests_info 9
"#;
    let scrape = Scrape::parse(page, None);
    assert_eq!(scrape.adapters, Some(AdapterUse::default()));
    assert_eq!(scrape.dropped, 2);
}

#[test]
fn vllm_page_of_a_prefill_node() {
    insta::assert_debug_snapshot!(page!("vllm/metrics_prefill_node.txt"));
}

#[test]
fn sglang_page() {
    let scrape = page!("sglang/metrics_after.txt");
    let expected = Telemetry {
        running: Some(0),
        waiting: Some(0),
        kv_used: Some(0.0),
        kv_capacity_tokens: Some(8192),
        block_tokens: Some(16),
        prefix_queries_tokens: Some(10_907),
        prefix_hits_tokens: Some(3360),
        prompt_tokens: Some(10_907),
        generation_tokens: Some(3137),
        preemptions: None,
    };
    assert_eq!(
        (scrape.dialect, scrape.telemetry),
        (Some(Dialect::Sglang), expected)
    );
}

#[test]
fn sglang_page_before_the_first_request() {
    insta::assert_debug_snapshot!(page!("sglang/metrics_idle.txt"));
}

#[test]
fn llamacpp_page() {
    let telemetry = page!("llamacpp/metrics_after.txt").telemetry;
    assert_eq!(
        (telemetry.running, telemetry.prompt_tokens),
        (Some(0), Some(106))
    );
    assert_eq!(telemetry.generation_tokens, Some(94));
    let looked_up = (
        telemetry.prefix_queries_tokens,
        telemetry.prefix_hits_tokens,
    );
    assert_eq!(looked_up, (Some(133), Some(27)));
}

#[test]
fn trtllm_page() {
    let page = b"trtllm_num_requests_running{model_name=\"m\",engine_type=\"trt\"} 4\ntrtllm_num_requests_waiting 2\n\
        trtllm_kv_cache_utilization 0.5\ntrtllm_kv_cache_max_blocks 1000\ntrtllm_kv_cache_tokens_per_block 32\n\
        trtllm_prompt_tokens_total 900\ntrtllm_prompt_cached_tokens_total 300\ntrtllm_generation_tokens_total 70\n";
    let scrape = Scrape::parse(page, None);
    assert_eq!(
        (scrape.dialect, scrape.used),
        (Some(Dialect::TensorRtLlm), 8)
    );
    let expected = Telemetry {
        running: Some(4),
        waiting: Some(2),
        kv_used: Some(0.5),
        kv_capacity_tokens: Some(32_000),
        block_tokens: Some(32),
        prefix_queries_tokens: Some(900),
        prefix_hits_tokens: Some(300),
        prompt_tokens: Some(900),
        generation_tokens: Some(70),
        ..Telemetry::default()
    };
    assert_eq!(scrape.telemetry, expected);
}

#[test]
fn tgi_and_mindie_pages() {
    let tgi = Scrape::parse(
        b"tgi_queue_size 3\ntgi_batch_current_size 5\ntgi_request_count{x=\"y\"} 9\n",
        None,
    );
    assert_eq!((tgi.dialect, tgi.used), (Some(Dialect::Tgi), 2));
    assert_eq!(
        (tgi.telemetry.running, tgi.telemetry.waiting),
        (Some(5), Some(3))
    );
    let page = b"num_requests_running{model_name=\"q\"} 2\nnpu_cache_usage_perc{model_name=\"q\"} 0.25\nnum_preemptions_total 1";
    let mindie = Scrape::parse(page, None);
    assert_eq!(
        (mindie.dialect, mindie.telemetry.kv_used),
        (Some(Dialect::MindIe), Some(0.25))
    );
    assert_eq!(
        (mindie.telemetry.running, mindie.telemetry.preemptions),
        (Some(2), Some(1))
    );
}

#[test]
fn nonsense_is_dropped_and_counted() {
    let page = b"vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\nvllm:kv_cache_usage_perc +Inf\n\
        vllm:prompt_tokens_total 1e300\nvllm:generation_tokens_total x\nvllm:num_preemptions_total\n\
        vllm:prefix_cache_hits_total{engine=\"0\" 3\nvllm:kv_cache_usage_perc{engine=\"1\"} 1.2\n";
    let scrape = Scrape::parse(page, None);
    assert_eq!((scrape.used, scrape.dropped), (1, 7));
    assert_eq!(
        scrape.telemetry,
        Telemetry {
            kv_used: Some(1.0),
            ..Telemetry::default()
        }
    );
}

#[test]
fn tensor_ranks_are_one_engine_and_data_ranks_are_several() {
    let mut page = String::new();
    for (dp, tp, running) in [(0, 1, 3), (0, 0, 3), (1, 2, 4), (1, 3, 4)] {
        page += &format!(
            "sglang:num_running_reqs{{dp_rank=\"{dp}\",tp_rank=\"{tp}\",pp_rank=\"0\"}} {running}\n"
        );
        page += &format!("sglang:token_usage{{dp_rank=\"{dp}\",tp_rank=\"{tp}\"}} 0.{running}\n");
        page += &format!("sglang:max_total_num_tokens{{dp_rank=\"{dp}\",tp_rank=\"{tp}\"}} 100\n");
    }
    let telemetry = Scrape::parse(page.as_bytes(), None).telemetry;
    assert_eq!(
        (telemetry.running, telemetry.kv_capacity_tokens),
        (Some(7), Some(200))
    );
    assert_eq!(telemetry.kv_used, Some(0.4));
}

#[test]
fn priorities_repeat_the_total() {
    let page = b"sglang:num_queue_reqs{priority=\"\"} 5\nsglang:num_queue_reqs{priority=\"1\"} 3\nsglang:num_queue_reqs{priority=\"2\"} 2\n";
    assert_eq!(Scrape::parse(page, None).telemetry.waiting, Some(5));
}

#[test]
fn older_vllm_states_all_blocks_on_every_rank() {
    let page = b"vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\",engine=\"0\"} 1\n\
        vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"100\",engine=\"1\"} 1\n";
    let telemetry = Scrape::parse(page, None).telemetry;
    assert_eq!(
        (telemetry.kv_capacity_tokens, telemetry.block_tokens),
        (Some(1600), Some(16))
    );
}

#[test]
fn labels_may_hold_anything() {
    let page = b"vllm:num_requests_running{model_name=\"a}\\\"b,\\\\ engine=\\\"9\\\"\", engine = \"1\" ,} 4 1700000000\r\n";
    assert_eq!(Scrape::parse(page, None).telemetry.running, Some(4));
}

#[test]
fn another_dialect_is_left_out() {
    let page = b"vllm:num_requests_running 1\nsglang:num_queue_reqs 2\n";
    assert_eq!(
        Scrape::parse(page, Some(Dialect::Sglang)).telemetry,
        Telemetry {
            waiting: Some(2),
            ..Telemetry::default()
        }
    );
    assert_eq!(Scrape::parse(b"<html>{}</html>", None), Scrape::default());
}

#[test]
fn ranks_are_bounded() {
    let page: String = (0..600)
        .map(|rank| format!("vllm:num_requests_running{{engine=\"{rank}\"}} 1\n"))
        .collect();
    let scrape = Scrape::parse(page.as_bytes(), None);
    assert_eq!(
        (scrape.telemetry.running, scrape.used, scrape.dropped),
        (Some(512), 512, 88)
    );
}

proptest! {
    #[test]
    fn any_text_is_survived(lines in proptest::collection::vec("(vllm:num_requests_running|sglang:token_usage|vllm:cache_config_info|x)[ {}\",=\\\\a-z0-9.+-]{0,40}", 0..20)) {
        let scrape = Scrape::parse(lines.join("\n").as_bytes(), None);
        prop_assert!(scrape.telemetry.kv_used.is_none_or(|share| (0.0..=1.0).contains(&share)));
        prop_assert!(scrape.used + scrape.dropped <= 20);
    }
}

#[test]
fn one_rank_is_read_alone() {
    let page = b"vllm:num_requests_running{engine=\"0\"} 3
vllm:num_requests_running{engine=\"1\"} 4
vllm:cache_config_info{engine=\"0\",block_size=\"16\",num_gpu_blocks=\"100\"} 1
vllm:cache_config_info{engine=\"1\",block_size=\"16\",num_gpu_blocks=\"100\"} 1
";
    let of = |rank| Scrape::parse_rank(page, Some(Dialect::Vllm), rank).telemetry;
    let running = [of(Some(0)), of(Some(1)), of(None)].map(|read| read.running);
    assert_eq!(running, [Some(3), Some(4), Some(7)]);
    let capacity = [of(Some(1)), of(None)].map(|read| read.kv_capacity_tokens);
    assert_eq!(capacity, [Some(800), Some(1600)]);
    let page = b"sglang:num_running_reqs{dp_rank=\"1\"} 2\nsglang:num_queue_reqs 5\n";
    let read = Scrape::parse_rank(page, None, Some(0)).telemetry;
    assert_eq!(
        (read.running, read.waiting),
        (None, Some(5)),
        "what names no rank counts"
    );
}
