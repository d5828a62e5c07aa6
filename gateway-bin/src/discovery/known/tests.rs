//! Engines that come back, and others in their place.

use std::path::Path;

use gateway_core::{
    Timestamp,
    health::{HealthPolicy, Probe},
};
use gateway_proto::{error::ApiError, openai::ModelCard};
use gateway_router::{EngineKind, ErrorKind, Retry, RouteError};

use super::*;
use crate::config::{Environment, read_endpoints};

fn endpoint(process: &str) -> EndpointConfig {
    let text = "- {name: a, url: \"http://h:1\"}\n";
    let read = read_endpoints(text, Path::new("list.yaml"), &Environment::empty());
    let mut one = read.expect("valid").remove(0);
    one.settings.target = one.settings.target.with_process(process);
    one
}

fn fleet(of: &EndpointConfig) -> Fleet {
    Fleet::new([of.settings.spec.clone()]).expect("a fleet")
}

/// The answer to each question: a model, and an adapter of it.
fn answers(questions: Vec<Question>, model: &str) -> Vec<Answer> {
    let card = |id: &str, parent: Option<&str>| ModelCard {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        ..ModelCard::default()
    };
    let found = Detected {
        kind: EngineKind::Vllm,
        models: vec![card(model, None), card("sql", Some(model))],
    };
    let answer = |question: Question| question.answered(Ok(found.clone()));
    questions.into_iter().map(answer).collect()
}

fn adapters(fleet: &Fleet) -> Vec<String> {
    fleet
        .by_name("a")
        .expect("listed")
        .state()
        .adapters()
        .names()
}

#[test]
fn another_process_at_the_same_address_is_asked_itself() {
    let (old, new) = ([endpoint("p")], [endpoint("q")]);
    let mut known = Known::default();
    assert!(known.learn(answers(known.questions(&old, None), "m")));
    assert!(known.questions(&old, None).is_empty());
    let fleet = fleet(&new[0]);
    known.seed(&new, &fleet);
    assert_eq!(adapters(&fleet), [""; 0], "those of the dead one");
    assert_eq!(known.open_names(&new), ["a"]);
    assert_eq!(known.questions(&new, Some(&fleet)).len(), 1);
    known.retain(&new);
    assert!(known.0.is_empty());
}

#[test]
fn an_engine_that_was_down_is_asked_anew_and_is_what_it_was_until_it_answers() {
    let one = [endpoint("p")];
    let fleet = fleet(&one[0]);
    let mut known = Known::default();
    known.learn(answers(known.questions(&one, Some(&fleet)), "m"));
    let state = fleet.by_name("a").expect("listed").state();
    let (policy, now) = (HealthPolicy::default(), Timestamp::from_micros(1));
    for _ in 0..policy.down_after {
        state.probed(&policy, Probe::Gone, now);
    }
    assert!(known.questions(&one, Some(&fleet)).is_empty(), "it is down");
    state.probed(&policy, Probe::Well, now);

    let mut asked = known.questions(&one, Some(&fleet));
    let api = ApiError::new(502, "not yet");
    let error = RouteError::new(ErrorKind::Connect, Retry::OtherEndpoint, api);
    let silent = asked.remove(0).answered(Err(error));
    assert!(!known.learn(vec![silent]) && known.open_names(&one).is_empty());
    let asked = known.questions(&one, Some(&fleet));
    assert!(known.learn(answers(asked, "another")), "it answers now");
    assert!(known.questions(&one, Some(&fleet)).is_empty());
    state.restarted(now);
    let asked = known.questions(&one, Some(&fleet));
    assert!(!known.learn(answers(asked, "another")), "as before");
    assert!(known.questions(&one, Some(&fleet)).is_empty());
}

#[test]
fn adapters_that_were_unloaded_do_not_come_back() {
    let one = [endpoint("p")];
    let fleet = fleet(&one[0]);
    let mut known = Known::default();
    known.learn(answers(known.questions(&one, None), "m"));
    known.seed(&one, &fleet);
    assert_eq!(adapters(&fleet), ["sql"]);
    // The engine's own list, read since.
    let state = fleet.by_name("a").expect("listed").state();
    state.adapters().set([]);
    known.seed(&one, &fleet);
    assert_eq!(adapters(&fleet), [""; 0]);

    // It comes back with others; of kinds that list none while they run, nobody else tells.
    state.restarted(Timestamp::from_micros(1));
    known.learn(answers(known.questions(&one, Some(&fleet)), "another"));
    known.seed(&one, &fleet);
    assert_eq!(adapters(&fleet), ["sql"]);
    state.restarted(Timestamp::from_micros(2));
    let asked = known.questions(&one, Some(&fleet));
    state.adapters().add("law");
    known.learn(answers(asked, "m"));
    known.seed(&one, &fleet);
    assert_eq!(
        adapters(&fleet),
        ["law", "sql"],
        "loaded since it was asked"
    );
}

#[test]
fn an_engine_under_two_names_is_not_asked_for_ever() {
    let both = ["a", "b"].map(|name| {
        let mut one = endpoint("p");
        name.clone_into(&mut one.settings.spec.name);
        one
    });
    let specs = both.iter().map(|one| one.settings.spec.clone());
    let fleet = Fleet::new(specs).expect("a fleet");
    let mut known = Known::default();
    known.learn(answers(known.questions(&both, Some(&fleet)), "m"));
    // Only one of them was seen down.
    let state = fleet.by_name("b").expect("listed").state();
    state.restarted(Timestamp::from_micros(1));
    known.learn(answers(known.questions(&both, Some(&fleet)), "m"));
    assert!(known.questions(&both, Some(&fleet)).is_empty());
}
