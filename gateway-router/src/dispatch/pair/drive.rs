//! Does what a connector's machine orders.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join;
use gateway_core::{EndpointId, health::Outcome};
use gateway_proto::{engines::transfer::LegEdit, openai::reply_facts};
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::{
    broken::Broken,
    legs::{Legs, Owed, Span},
    machine::{self, Event, Order, Terms},
    mindie::{Answer, Rounds, Stopping},
};
use crate::{
    ErrorKind, Fallback, PairOutcome, PairSettings, Retry, RouteError, adapters,
    dispatch::{
        flight::Flight,
        work::{Opening, Work},
    },
    engine::{
        EngineReply,
        status::{self, ERROR_REPLY_BYTES},
    },
    router::Shared,
    snapshot::Snapshot,
};

/// A request on its way to two engines.
pub(in crate::dispatch) struct Call<'a, W> {
    pub(in crate::dispatch) work: &'a W,
    pub(in crate::dispatch) snapshot: &'a Snapshot,
    pub(in crate::dispatch) prefill: EndpointId,
    pub(in crate::dispatch) decode: EndpointId,
    pub(in crate::dispatch) settings: PairSettings,
    /// The time that the whole request may take.
    pub(in crate::dispatch) total: Duration,
}

/// Serves the request on the two, up to what can be shown.
pub(in crate::dispatch) async fn drive<W: Work>(
    shared: &Shared,
    call: &Call<'_, W>,
    flight: &mut Flight,
) -> Result<W::Opened, Broken> {
    call.adapters(flight).await?;
    let connector = call
        .snapshot
        .transfer(call.prefill)
        .expect("who prefills hands over")
        .connector;
    let mut legs = Legs::new(call.owed(shared, flight), connector);
    let room = shared.room();
    let mut machine = machine::of(connector, call.terms(room));
    let mut order = machine.start();
    loop {
        match order {
            Order::Ask => legs.ask(call.ask(), call.prefill_span(flight)),
            Order::Prefill(edit) => {
                flight.prefill_sent();
                legs.prefill(call.whole(&edit), call.prefill_span(flight));
            }
            Order::Decode(edit) => {
                legs.handed_over();
                flight.decode_sent();
                let load = flight.lend_decode();
                legs.decode(call.open(&edit), call.decode_span(flight), load);
            }
            Order::Both { prefill, decode } => {
                flight.prefill_sent();
                flight.decode_sent();
                legs.prefill(call.whole(&prefill), call.both_span(flight));
                let load = flight.lend_decode();
                legs.decode(call.open(&decode), call.both_span(flight), load);
            }
            Order::Join(id) => {
                let rounds = call.rounds(shared, flight, room);
                call.join(&mut legs, &rounds, id, flight);
            }
            Order::Hear => {
                flight.decode_sent();
                legs.hearing.within(call.decode_span(flight));
            }
            Order::Follow {
                head,
                is_over,
                recomputes,
            } => {
                let claim = legs.hearing.take().filter(|_| !is_over);
                let rounds = call.rounds(shared, flight, room);
                let answer = Answer::new(head, claim, rounds, recomputes);
                legs.decode(call.follow(answer), call.decode_span(flight), None);
            }
            Order::Wait => {}
            Order::Take => return Ok(call.take(legs, flight)),
            Order::Adopt(answer) => {
                let answer = call.work.adopt(call.snapshot, call.prefill, answer);
                return adopt(answer, legs, flight).await;
            }
            Order::AdoptEvents(events) => {
                let reply = EngineReply::of_events(events);
                let answer = call.work.read(call.snapshot, call.prefill, reply);
                return adopt(answer, legs, flight).await;
            }
            Order::GiveUp(broken) => {
                // It may be another process that hands over now than the one that said who it is.
                call.snapshot.engine(call.prefill).forget_bootstrap();
                take_back(&mut legs, flight);
                legs.give_up(&broken);
                return Err(broken.judged(call.asks_decode_whole()));
            }
        }
        let event = legs.next().await;
        if matches!(event, Event::Decoding(_)) {
            take_back(&mut legs, flight);
        }
        note(&event, flight);
        order = machine.on(event);
    }
}

/// The prefill engine's answer is the caller's.
async fn adopt<O: Send>(
    answer: Opening<O>,
    legs: Legs<O>,
    flight: &mut Flight,
) -> Result<O, Broken> {
    legs.hearing.settle();
    let adopted = answer.await;
    flight.finished_at_prefill();
    if adopted.is_ok() {
        legs.adopted();
    }
    adopted.map_err(Broken::prefill)
}

/// The decode engine's load is the flight's again, where a leg had it.
fn take_back<O: Send>(legs: &mut Legs<O>, flight: &mut Flight) {
    if let Some(load) = legs.load() {
        flight.take_back(load);
    }
}

/// Tells the flight of a leg that is over.
fn note(event: &Event, flight: &mut Flight) {
    match event {
        Event::Prefilled(Ok(_)) => flight.prefill_over(Outcome::Served),
        Event::Decoding(Ok(())) => flight.decode_began(),
        // What a failure says of whom is for the machine to tell.
        _ => {}
    }
}

impl<W: Work> Call<'_, W> {
    /// Waits until both engines have the LoRA adapter that is asked for, if any is.
    async fn adapters(&self, flight: &Flight) -> Result<(), Broken> {
        let subject = self.work.subject();
        let model = subject.model;
        if !self.snapshot.fleet.is_adapter(model) {
            return Ok(());
        }
        let left = self.total.saturating_sub(flight.age());
        let ready = |id| async move {
            let ready = timeout(left, self.snapshot.adapter_ready(id, model)).await;
            ready.unwrap_or_else(|_| Err(adapters::failure(model, "the request's time was up")))
        };
        let (prefill, decode) = join(ready(self.prefill), ready(self.decode)).await;
        prefill.map_err(Broken::prefill)?;
        decode.map_err(Broken::decode)
    }

    fn owed(&self, shared: &Shared, flight: &Flight) -> Owed {
        let name = |id| {
            let endpoint = self.snapshot.fleet.by_id(id).expect("just placed");
            Arc::from(endpoint.name())
        };
        Owed {
            request_id: Arc::clone(&flight.report.request_id),
            prefill: name(self.prefill),
            decode: name(self.decode),
            sink: Arc::clone(&shared.sink),
            lingers: shared.lingers.clone(),
            grace: self.settings.grace,
        }
    }

    /// Whether the decode engine may be asked for all of it next.
    fn asks_decode_whole(&self) -> bool {
        let endpoint = self.snapshot.fleet.by_id(self.decode);
        let endpoint = endpoint.expect("just placed");
        self.settings.fallback == Fallback::SinglePhase && endpoint.spec().serves_whole()
    }

    fn terms(&self, room: u64) -> Terms {
        Terms {
            room,
            bootstrap: self.snapshot.bootstrap(self.prefill),
            rank: self.snapshot.rank(self.prefill),
            is_chat: self.work.is_chat_to_engines(),
            streams: self.work.subject().engine_streams,
            handed_to: self.snapshot.handed_to(self.decode),
        }
    }

    /// What it takes for the decode engine to answer this request among all the others.
    fn rounds(&self, shared: &Shared, flight: &Flight, room: u64) -> Rounds {
        let Self {
            snapshot,
            prefill,
            decode,
            ..
        } = self;
        let results = snapshot.results(*decode);
        Rounds {
            results: Arc::clone(results.expect("its connector is MindIE's")),
            target: snapshot.handed_to(*decode).expect("it was begun"),
            stopping: Arc::new(Stopping {
                prefill: Arc::clone(snapshot.engine(*prefill)),
                decode: Arc::clone(snapshot.engine(*decode)),
                model: self.work.subject().model.to_owned(),
                owed: self.owed(shared, flight),
            }),
            sender: self.work.sender(snapshot, *prefill),
            reply_bytes: snapshot.limits.reply_bytes,
            room,
        }
    }

    fn join(&self, legs: &mut Legs<W::Opened>, rounds: &Rounds, id: String, flight: &Flight) {
        let opening = self.span(flight, self.snapshot.deadlines.connect);
        let whole = self.span(flight, self.total);
        legs.join(rounds.join(id), opening, whole);
    }

    fn follow(&self, answer: Answer) -> Opening<W::Opened> {
        let streams = self.work.subject().engine_streams;
        let reply = EngineReply::of_body(streams, answer.boxed_unsync());
        self.work.read(self.snapshot, self.decode, reply)
    }

    fn ask(&self) -> Opening<Bytes> {
        let (host, port) = self.snapshot.bootstrap(self.prefill);
        let engine = Arc::clone(self.snapshot.engine(self.prefill));
        Box::pin(async move { engine.ask_bootstrap(&host, port).await })
    }

    /// The prefill leg's whole answer.
    fn whole(&self, edit: &LegEdit) -> Opening<Bytes> {
        let sent = self.work.prefill(self.snapshot, self.prefill, edit);
        let most = self.snapshot.limits.reply_bytes;
        Box::pin(async move { read(sent.await?, most).await })
    }

    fn open(&self, edit: &LegEdit) -> Opening<W::Opened> {
        self.work.open(self.snapshot, self.decode, Some(edit))
    }

    fn prefill_span(&self, flight: &Flight) -> Span {
        self.span(flight, self.settings.prefill)
    }

    /// An engine that answers whole shows nothing before its end.
    fn decode_span(&self, flight: &Flight) -> Span {
        let streams = self.work.subject().engine_streams;
        let most = if streams {
            self.settings.decode
        } else {
            self.total
        };
        self.span(flight, most)
    }

    /// Legs that wait for each other have the time of both.
    fn both_span(&self, flight: &Flight) -> Span {
        let Span { most, .. } = self.decode_span(flight);
        self.span(flight, most.saturating_add(self.settings.prefill))
    }

    fn span(&self, flight: &Flight, most: Duration) -> Span {
        let left = self.total.saturating_sub(flight.age());
        Span {
            most: most.min(left),
            is_last: left <= most,
            is_ample: left >= self.snapshot.deadlines.first_byte,
        }
    }

    /// The decode leg's answer is the caller's.
    fn take(&self, legs: Legs<W::Opened>, flight: &mut Flight) -> W::Opened {
        flight.pair_ended(PairOutcome::Split);
        let prefill = flight.take_prefill();
        let opened = legs.take(move |outcome| {
            if let Some(prefill) = prefill {
                prefill.over(outcome);
            }
        });
        opened.expect("it has begun")
    }
}

pub(super) async fn read(reply: EngineReply, most: usize) -> Result<Bytes, RouteError> {
    let EngineReply { status, body, .. } = reply;
    let is_well = status.is_success();
    let most = if is_well { most } else { ERROR_REPLY_BYTES };
    let read = Limited::new(body, most).collect().await;
    let read = read.map(|whole| whole.to_bytes());
    if !is_well {
        return Err(status::read(status, &read.unwrap_or_default()));
    }
    let whole =
        read.map_err(|_| broken("The prefill engine's reply broke off or was too large."))?;
    if reply_facts(&whole).aborted {
        return Err(broken("The prefill engine gave the request up."));
    }
    Ok(whole)
}

fn broken(message: &str) -> RouteError {
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}
