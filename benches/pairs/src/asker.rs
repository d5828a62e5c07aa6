//! One caller: asks the gateway, one engine, or two engines in the gateway's stead.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use gateway_benches::{Connection, Gateway, request};
use gateway_proto::engines::transfer::{Connector, LegEdit, mooncake, nixl, sglang, trtllm};

use crate::engines::Engines;
use crate::load::Ask;
use crate::question::{Asked, Prompt, Questions, Way, error_in, has_content};

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// One engine, by the caller.
    Engine,
    /// One engine, through the gateway.
    Whole,
    /// Two engines, by the caller.
    Pair,
    /// Two engines, through the gateway.
    Split,
}

impl Subject {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Engine, Self::Whole, Self::Pair, Self::Split];

    /// Whether each request is one hand-over.
    pub(crate) fn hands_over(self) -> bool {
        matches!(self, Self::Pair | Self::Split)
    }
}

/// What callers ask, and whom.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) connector: Connector,
    pub(crate) way: Way,
    pub(crate) subject: Subject,
    pub(crate) engines: &'a Engines,
    pub(crate) gateway: SocketAddr,
    pub(crate) questions: &'a Questions,
}

/// A caller, connected.
pub(crate) struct Asker<'a> {
    scene: Scene<'a>,
    /// To the gateway, the one engine, or the one that decodes.
    answers: Peer,
    /// To the one that prefills.
    prefill: Peer,
    /// Who the prefill engine says it is, where that must be known; asked once, as by the gateway.
    identity: Vec<u8>,
    key: String,
    prompt: Prompt,
}

struct Peer {
    address: SocketAddr,
    connection: Connection,
}

impl<'a> Asker<'a> {
    /// Connects.
    ///
    /// # Errors
    /// Somebody does not listen.
    pub(crate) fn connect(scene: Scene<'a>) -> Result<Self> {
        let engines = scene.engines;
        let answers = match scene.subject {
            Subject::Engine => engines.alone(),
            Subject::Pair => engines.decode(),
            Subject::Whole | Subject::Split => scene.gateway,
        };
        let asks_who = scene.subject == Subject::Pair && scene.connector == Connector::Mooncake;
        let identity = if asks_who {
            identity(engines.bootstrap())?
        } else {
            Vec::new()
        };
        Ok(Self {
            scene,
            identity,
            answers: Peer::connect(answers)?,
            prefill: Peer::connect(engines.prefill())?,
            key: format!("Bearer {}", Gateway::KEY),
            prompt: Prompt::default(),
        })
    }

    fn model(&self) -> &'static str {
        self.scene.way.models()[usize::from(self.scene.subject.hands_over())]
    }

    fn leg(&self, edit: &LegEdit) -> Result<Asked> {
        let Scene { questions, way, .. } = self.scene;
        questions.to_engine(way, self.model(), &self.prompt, edit)
    }

    /// The two calls of a hand-over, as the gateway makes them; the first token's time.
    fn hand_over(&mut self) -> Result<Instant> {
        // Spread over all 64 bits, as the gateway's are.
        let id = self.prompt.number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let (prefill, decode) = match self.scene.connector {
            Connector::Nixl => {
                let answer = self.prefilled(&nixl::prefill())?;
                let decode = nixl::decode(&answer).with_context(|| nothing_in(&answer))?;
                return self.decoded(&decode);
            }
            Connector::TrtLlm => {
                let answer = self.prefilled(&trtllm::prefill(id))?;
                let trtllm::Answered::HandedOver(decode) = trtllm::answered(&answer, false) else {
                    bail!(nothing_in(&answer));
                };
                return self.decoded(&decode);
            }
            Connector::Sglang => {
                let bootstrap = self.scene.engines.bootstrap();
                let (host, port) = (bootstrap.ip().to_string(), bootstrap.port());
                let prefill = sglang::prefill(&host, port, id);
                (prefill, sglang::decode(&host, port, id, None))
            }
            Connector::Mooncake => self.mooncake(id)?,
            other => bail!("callers do not know how to hand over by {}", other.name()),
        };
        let prefill = self.leg(&prefill)?;
        self.prefill.ask(&prefill, &[])?;
        let first = self.decoded(&decode)?;
        self.prefill.rest()?;
        Ok(first)
    }

    fn mooncake(&self, id: u64) -> Result<(LegEdit, LegEdit)> {
        let bootstrap = self.scene.engines.bootstrap();
        let peer = mooncake::peer(&self.identity, None, id);
        let peer = peer.context("no engine at the bootstrap port")?;
        let transfer = format!("{id:016x}");
        let host = bootstrap.ip().to_string();
        let decode = mooncake::decode(&transfer, &peer, &host, bootstrap.port());
        Ok((mooncake::prefill(&transfer, &peer), decode))
    }

    fn prefilled(&mut self, edit: &LegEdit) -> Result<Vec<u8>> {
        let asked = self.leg(edit)?;
        self.prefill.ask(&asked, &[])?;
        self.prefill.connection.body()
    }

    fn decoded(&mut self, edit: &LegEdit) -> Result<Instant> {
        let asked = self.leg(edit)?;
        self.answers.ask(&asked, &[])?;
        self.answers.first()
    }
}

/// What the engine answers at its bootstrap port.
fn identity(bootstrap: SocketAddr) -> Result<Vec<u8>> {
    let mut peer = Peer::connect(bootstrap)?;
    let asked = Asked {
        line: format!("GET {}", mooncake::QUERY),
        body: Vec::new(),
    };
    peer.ask(&asked, &[])?;
    peer.connection.body()
}

fn nothing_in(answer: &[u8]) -> String {
    format!("nothing handed over in {}", String::from_utf8_lossy(answer))
}

impl Ask for Asker<'_> {
    fn prepare(&mut self, number: u64) -> Result<()> {
        self.prompt = self.scene.questions.prompt(number)?;
        Ok(())
    }

    fn ask(&mut self) -> Result<Instant> {
        let first = match self.scene.subject {
            Subject::Engine => self.decoded(&LegEdit::default())?,
            Subject::Pair => self.hand_over()?,
            Subject::Whole | Subject::Split => {
                let asked = self.scene.questions.by_text(self.model(), &self.prompt);
                let key = self.key.as_str();
                self.answers.ask(&asked, &[("authorization", key)])?;
                self.answers.first()?
            }
        };
        self.answers.rest()?;
        Ok(first)
    }
}

impl Peer {
    fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            address,
            connection: Connection::connect(address)?,
        })
    }

    fn ask(&mut self, asked: &Asked, headers: &[(&str, &str)]) -> Result<()> {
        let Asked { line, body } = asked;
        self.connection
            .ask(&request(line, self.address, headers, body))
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn first(&mut self) -> Result<Instant> {
        self.connection.until(has_content)?;
        Ok(Instant::now())
    }

    fn rest(&mut self) -> Result<()> {
        let body = self.connection.body()?;
        ensure!(!error_in(&body), "{}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
