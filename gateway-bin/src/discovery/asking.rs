//! Asking engines what they are, beside all else.

use std::{
    collections::{HashMap, HashSet},
    future,
    sync::Arc,
    time::Duration,
};

use gateway_router::{Credential, Detected, RouteError, Target, detect};
use tokio::{
    sync::Semaphore,
    task::{self, JoinSet},
    time::{self, Instant},
};

use super::{
    Known,
    known::{Key, Standing},
};
use crate::config::EndpointConfig;

/// The most engines that are asked at a time.
const AT_ONCE: usize = 64;

/// What one engine is to be asked.
#[derive(Debug)]
pub(crate) struct Question {
    key: Key,
    name: String,
    target: Target,
    credential: Option<Credential>,
    asked: Standing,
}

impl Question {
    /// `asked` is how the engine stands now.
    pub(super) fn new(endpoint: &EndpointConfig, key: Key, asked: Standing) -> Self {
        let settings = &endpoint.settings;
        Self {
            key,
            name: settings.spec.name.clone(),
            target: settings.target.clone(),
            credential: settings.credential.clone(),
            asked,
        }
    }

    async fn ask(self, patience: Duration) -> Answer {
        let found = detect(&self.target, self.credential.as_ref(), patience).await;
        self.answered(found)
    }

    pub(super) fn answered(self, found: Result<Detected, RouteError>) -> Answer {
        Answer {
            key: self.key,
            name: self.name,
            asked: self.asked,
            found,
        }
    }
}

/// What one engine said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) key: Key,
    pub(super) name: String,
    pub(super) asked: Standing,
    pub(super) found: Result<Detected, RouteError>,
}

/// The questions under way, each in a task of its own; no engine is asked twice at a time.
#[derive(Debug)]
pub(crate) struct Asking {
    patience: Duration,
    tasks: JoinSet<Answer>,
    under_way: HashMap<task::Id, Key>,
    room: Arc<Semaphore>,
}

impl Asking {
    /// Nothing is asked yet; an engine may take `patience` for each of its answers.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Asks these, but for those that are being asked.
    pub(crate) fn begin(&mut self, questions: Vec<Question>) {
        let mut asked: HashSet<Key> = self.under_way.values().cloned().collect();
        for question in questions {
            if !asked.insert(question.key.clone()) {
                continue;
            }
            let (key, room, patience) =
                (question.key.clone(), Arc::clone(&self.room), self.patience);
            let task = self.tasks.spawn(async move {
                let _place = room.acquire_owned().await;
                question.ask(patience).await
            });
            self.under_way.insert(task.id(), key);
        }
    }

    /// Waits for the next answer, and gives all that are there; the same as never where nobody is asked. Dropped while it
    /// waits, it loses none.
    pub(crate) async fn answers(&mut self) -> Vec<Answer> {
        let Some(mut next) = self.tasks.join_next_with_id().await else {
            return future::pending().await;
        };
        let mut answers = Vec::new();
        loop {
            let id = match next {
                Ok((id, answer)) => {
                    answers.push(answer);
                    id
                }
                Err(died) => died.id(),
            };
            self.under_way.remove(&id);
            match self.tasks.try_join_next_with_id() {
                Some(another) => next = another,
                None => return answers,
            }
        }
    }

    /// Whether some of `awaited` are being asked.
    pub(crate) fn is_open(&self, awaited: &Awaited) -> bool {
        self.under_way.values().any(|key| awaited.0.contains(key))
    }

    /// Lets `known` learn until all of `awaited` have answered or had their time. Says whether there was news; whoever
    /// has more to say is heard later.
    pub(crate) async fn hear(&mut self, awaited: &Awaited, known: &mut Known) -> bool {
        let until = Instant::now() + self.patience;
        let mut is_news = false;
        while self.is_open(awaited) {
            let Ok(answers) = time::timeout_at(until, self.answers()).await else {
                break;
            };
            is_news |= known.learn(answers);
        }
        is_news
    }
}

/// Engines whose answers somebody waits for.
#[derive(Debug)]
pub(crate) struct Awaited(HashSet<Key>);

impl Awaited {
    pub(crate) fn of(endpoints: &[EndpointConfig]) -> Self {
        Self(endpoints.iter().map(Key::of).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::config::{Environment, read_endpoints};

    /// Says of itself what vLLM says.
    async fn answer(listener: TcpListener) {
        let list = r#"{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}"#;
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{list}",
            list.len()
        );
        while let Ok((mut stream, _)) = listener.accept().await {
            let _head = stream.read(&mut [0; 4096]).await.expect("a request");
            stream.write_all(reply.as_bytes()).await.expect("sent");
        }
    }

    async fn listener(name: &str) -> (TcpListener, EndpointConfig) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let text = format!("- {{name: {name}, url: \"http://{address}\"}}\n");
        let read = read_endpoints(&text, Path::new("list.yaml"), &Environment::empty());
        (listener, read.expect("valid").remove(0))
    }

    #[tokio::test]
    async fn nobody_waits_for_engines_that_are_silent_and_none_is_asked_twice_at_a_time() {
        let (_silent, silent) = listener("silent").await;
        let (speaks, speaking) = listener("speaking").await;
        tokio::spawn(answer(speaks));
        let both = [silent, speaking];
        let mut known = Known::default();
        // More patience than any test has.
        let mut asking = Asking::new(Duration::from_secs(3_600));
        for _ in 0..2 {
            asking.begin(known.questions(&both, None));
            assert_eq!(asking.under_way.len(), 2);
        }
        let (silent, speaking) = both.split_at(1);
        assert!(asking.hear(&Awaited::of(speaking), &mut known).await);
        assert_eq!(known.open_names(&both), ["silent"]);
        assert!(asking.is_open(&Awaited::of(silent)));
        asking.begin(known.questions(&both, None));
        assert_eq!(asking.under_way.len(), 1);
    }
}
