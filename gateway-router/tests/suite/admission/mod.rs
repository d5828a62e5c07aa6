//! Overload, in virtual time: who waits for room, who goes next, who is given up.

mod health;
mod line;
mod storm;

use std::time::Duration;

use gateway_router::{
    AdmissionSettings, RouteError, RouteReply, RouteRequest, Router, RouterSettings,
    core::admission::{AdmissionPolicy, Class, QueueLimits},
};
use tokio::{task::JoinHandle, time::sleep};

use crate::common::{
    memory::{Act, Engines, fleet},
    rig::{Rig, request},
};

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<RouteReply, RouteError>;

/// A fleet whose engines take so many requests each.
fn rig(acts: &[Act], each: u32, change: impl FnOnce(&mut RouterSettings)) -> (Rig, Engines) {
    let (mut settings, engines) = fleet(acts);
    let mut admission = AdmissionSettings::default();
    admission.room.requests = Some(each);
    settings.admission = Some(admission);
    change(&mut settings);
    let by_name = engines.clone();
    (
        Rig::driving(settings, move |told| by_name.client(told)),
        engines,
    )
}

/// A line with two classes and these bounds.
fn bounded(requests: u32, wait_at_most: Duration) -> impl FnOnce(&mut RouterSettings) {
    move |settings| {
        let class = |name: &str, from| Class {
            name: name.to_owned(),
            from,
            requests,
            tokens: 1 << 20,
            wait_at_most,
            share: 0.0,
        };
        let limits = QueueLimits {
            requests,
            ..QueueLimits::default()
        };
        let policy = AdmissionPolicy::new(limits, vec![class("low", -100), class("normal", 0)]);
        let admission = settings.admission.as_mut().expect("on");
        admission.policy = policy.expect("makes sense").into();
    }
}

fn of(caller: u64, priority: i8) -> RouteRequest {
    let mut request = request(false);
    request.hints.caller = caller;
    request.hints.goal.priority = Some(priority);
    request
}

/// Sends a request beside the test, and lets it come as far as it comes at once.
async fn send(router: &Router, request: RouteRequest) -> JoinHandle<Answer> {
    let router = router.clone();
    let task = tokio::spawn(async move { router.route(request).await });
    sleep(Duration::from_millis(1)).await;
    task
}

fn waiting(rig: &Rig) -> u64 {
    let classes = rig.router.admission();
    classes.values().map(|class| class.waiting).sum()
}
