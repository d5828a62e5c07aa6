use gateway_sim::{
    experiment::{Capacity, Comparison, EngineUse, Measures, PolicyResult},
    workload::{Facts, Objectives},
};

use super::page;
use crate::cli::simulate::table::Table;

/// Two policies, one with a name that is markup.
pub(crate) fn comparison() -> Comparison {
    let policy = |name: &str, scale: f64| {
        let mut mean = Measures {
            goodput: 0.5 * scale,
            imbalance: 1.25,
            ..Measures::default()
        };
        mean.ttft_ms.mean = 100.0 / scale;
        PolicyResult {
            name: name.to_owned(),
            mean,
            seeds: Vec::new(),
            ttft_percentiles_ms: (0..=100).map(|at| f64::from(at) * scale).collect(),
            engines: vec![EngineUse::default(); 70],
            capacity: Some(Capacity {
                factor: scale,
                requests_per_second: 10.0 * scale,
                trials: vec![[0.5, 1.0], [1.0, 0.9]],
            }),
        }
    };
    Comparison {
        scenario: "a \"test\" & more".to_owned(),
        about: "nothing".to_owned(),
        fleet: "1x8b-h100".to_owned(),
        workload: Facts::default(),
        objectives: Objectives::default(),
        seeds: vec![1],
        capacity_goodput: Some(0.9),
        policies: vec![policy("<b>bold</b>'s", 1.0), policy("plain", 1.5)],
    }
}

/// The names of all tags in order, closed ones with `/`.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("every tag ends");
        assert!(!text.contains('>'), "a stray `>`: {text}");
        let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
        if !tag.ends_with('/') && name != "meta" && name != "!doctype" {
            tags.push(name.trim_end_matches('/').to_owned());
        }
    }
    tags
}

#[test]
fn every_tag_is_closed_in_order() {
    let page = page(&comparison());
    let style = page.find("<style>").unwrap()..page.find("</style>").unwrap();
    let page = page.replacen(&page[style], "<style>", 1);
    let mut open = Vec::new();
    for tag in tags(&page) {
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed)),
            None => open.push(tag),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(
        page.matches("<polyline").count(),
        4,
        "two plots of two curves"
    );
    assert!(page.contains("and 6 more engines"));
}

#[test]
fn names_are_text_wherever_they_stand() {
    let page = page(&comparison());
    assert!(!page.contains("<b>"));
    assert!(page.contains("&lt;b&gt;bold&lt;/b&gt;&#39;s"));
    assert!(page.contains("a &quot;test&quot; &amp; more"));
    assert!(!page.contains("NaN") && !page.contains("inf"));
    assert!(!page.contains("http"), "nothing is fetched");
}

#[test]
fn a_policy_that_served_nobody_has_an_empty_curve() {
    let mut comparison = comparison();
    for policy in &mut comparison.policies {
        policy.ttft_percentiles_ms.clear();
        policy.capacity = None;
    }
    let page = page(&comparison);
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn the_table_marks_the_best_and_leaves_out_what_nobody_has() {
    let mut comparison = comparison();
    let table = Table(&comparison).to_string();
    let row = |table: &str, name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.to_owned()
    };
    let plain = row(&table, "plain");
    assert!(
        plain.contains(" 67* ") && plain.contains(" 75.0* "),
        "{plain}"
    );
    assert!(plain.contains(" 15.00* "), "{plain}");
    assert!(!row(&table, "<b>").contains(" 50.0*"));
    assert!(table.contains("capacity: the highest rate at which 90 %"));
    for policy in &mut comparison.policies {
        policy.capacity = None;
    }
    comparison.capacity_goodput = None;
    assert!(!Table(&comparison).to_string().contains("capacity"));
}
