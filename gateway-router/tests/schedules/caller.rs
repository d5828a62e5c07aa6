//! Who asks, and what is seen there.

use std::time::Duration;

use bytes::Bytes;
use gateway_router::{
    RouteError, RouteRequest, Router, TokenRequest, TokenStep,
    proto::{
        engines::{TokenEvent, TokenFinish},
        ir::Usage,
        openai::Api,
    },
};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::plan::{CallerPlan, Route};

/// How it ended for the caller.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Nothing had come when the caller left, or not all.
    Left,
    /// All of it.
    Whole,
    /// As much as the reader wanted.
    Enough,
    /// An error, before anything or in the middle.
    Failed(RouteError),
    /// An error event in the midst of a text.
    Broken,
}

/// All that a caller was told.
pub(crate) struct Told {
    pub(crate) plan: CallerPlan,
    pub(crate) seen: Seen,
    /// By tokens.
    pub(crate) choices: Vec<Choice>,
    pub(crate) usage: Option<Usage>,
    /// By text.
    pub(crate) text: String,
}

#[derive(Clone, Default)]
pub(crate) struct Choice {
    pub(crate) ids: Vec<u32>,
    pub(crate) logprobs: usize,
    pub(crate) finish: Option<TokenFinish>,
}

pub(crate) async fn ask(router: Router, plan: CallerPlan) -> Told {
    sleep(plan.comes).await;
    let patience = plan.leaves.unwrap_or(Duration::from_secs(86_400));
    let choices = vec![Choice::default(); plan.call.choices() as usize];
    let mut told = Told {
        plan,
        seen: Seen::Left,
        choices,
        usage: None,
        text: String::new(),
    };
    let asking = async {
        match told.plan.route {
            Route::Tokens { enough } => told.ask_for_tokens(&router, enough).await,
            Route::Chat => told.ask_for_text(&router).await,
        }
    };
    // What was seen before stands.
    let _left = timeout(patience, asking).await;
    told
}

impl Told {
    pub(crate) fn tokens(&self) -> usize {
        self.choices.iter().map(|choice| choice.ids.len()).sum()
    }

    async fn ask_for_tokens(&mut self, router: &Router, enough: Option<usize>) {
        let mut request = TokenRequest::new(Api::ChatCompletions, self.plan.call.clone());
        request.request_id = self.plan.id.clone();
        request.stream = self.plan.stream;
        request.hints.goal.priority = Some(self.plan.priority);
        let mut events = match router.generate(request).await {
            Ok(reply) => reply.events,
            Err(error) => return self.seen = Seen::Failed(error),
        };
        loop {
            match events.next().await.expect("streams have an end") {
                TokenStep::Event(event) => self.note(event),
                TokenStep::Done { usage } => {
                    (self.seen, self.usage) = (Seen::Whole, Some(usage));
                    break;
                }
                TokenStep::Failed(error) => {
                    self.seen = Seen::Failed(error);
                    break;
                }
            }
            if enough.is_some_and(|enough| self.tokens() >= enough) {
                self.seen = Seen::Enough;
                self.usage = Some(events.finish_early());
                return;
            }
        }
        if self.plan.drains {
            return events.drain();
        }
        assert!(events.next().await.is_none(), "nothing follows the end");
    }

    fn note(&mut self, event: TokenEvent) {
        let choice = &mut self.choices[event.choice as usize];
        assert_eq!(choice.finish, None, "nothing follows a choice's end");
        choice.ids.extend(event.ids);
        choice.logprobs += event.logprobs.len();
        choice.finish = event.finish;
    }

    async fn ask_for_text(&mut self, router: &Router) {
        let reply = match router.route(self.chat()).await {
            Ok(reply) => reply,
            Err(error) => return self.seen = Seen::Failed(error),
        };
        let is_good = reply.response.status().is_success();
        let mut body = reply.response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.unwrap_or_else(|never| match never {});
            let data = frame.into_data().expect("no trailers");
            self.text += std::str::from_utf8(&data).expect("text");
            if self.text.ends_with("data: [DONE]\n\n") {
                self.seen = Seen::Whole;
            }
        }
        let is_whole = match self.plan.stream {
            true => self.text.ends_with("data: [DONE]\n\n"),
            false => is_good,
        };
        self.seen = if is_whole { Seen::Whole } else { Seen::Broken };
    }

    fn chat(&self) -> RouteRequest {
        let ids = self.plan.call.prompt.iter();
        let said: String = ids.filter_map(|id| char::from_u32(*id)).collect();
        let body = json!({
            "model": "m",
            "stream": self.plan.stream,
            "max_tokens": self.plan.call.max_tokens,
            "messages": [{"role": "user", "content": said}],
        });
        let body = Bytes::from(body.to_string());
        let mut request = RouteRequest::parse(Api::ChatCompletions, body).expect("a good request");
        request.request_id = self.plan.id.clone();
        request.hints.goal.priority = Some(self.plan.priority);
        request
    }
}
