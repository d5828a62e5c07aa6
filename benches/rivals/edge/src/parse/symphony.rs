//! `smg-symphony`.

use std::hint::black_box;

use gateway_proto::text::parse::Family;
use symphony::formats::{gemma4, minimax_m2};
use symphony::{
    CallSyntax, Declared, Engine, EngineFinish, Event, Events, Format, Input, Parser, TokenSpan,
    formats, glm, mistral_v13, qwen3,
};

use super::Reading;

/// Its table for a family.
pub fn format(family: Family) -> Option<Format> {
    Some(match family {
        Family::Hermes => qwen3(CallSyntax::Json),
        Family::Qwen3Coder => formats::for_model("Qwen/Qwen3.5-4B")?,
        Family::Glm47 => glm(),
        Family::MiniMaxM2 => minimax_m2(),
        Family::Mistral => mistral_v13(),
        Family::Gemma => gemma4(),
        _ => return None,
    })
}

pub fn engine(format: &Format) -> Engine {
    Engine::new(format.clone(), Declared::default())
}

pub fn pass(engine: &mut Engine, pieces: &[&str]) {
    feed(engine, pieces, |events| {
        drop(black_box(std::mem::take(events)))
    });
}

fn feed(engine: &mut Engine, pieces: &[&str], mut each: impl FnMut(&mut Events)) {
    let mut events = Events::new();
    engine
        .feed(
            Input::Prompt {
                token_ids: &[],
                text: "",
            },
            &mut events,
        )
        .expect("the first");
    for piece in pieces {
        let spans = [TokenSpan {
            token_id: 7,
            start: 0,
            end: piece.len(),
            continued: false,
        }];
        let delta = Input::Delta {
            token_ids: &[7],
            text: black_box(piece),
            spans: &spans,
        };
        engine.feed(delta, &mut events).expect("small");
        each(&mut events);
    }
    engine
        .feed(
            Input::End {
                finish: EngineFinish::Stop,
            },
            &mut events,
        )
        .expect("the last");
    each(&mut events);
}

pub fn read(format: &Format, pieces: &[&str]) -> Reading {
    let mut reading = Reading::default();
    feed(&mut engine(format), pieces, |events| {
        for event in std::mem::take(events).as_slice() {
            match event {
                Event::Content(text) => reading.text += &text.text,
                Event::Reasoning(text) => reading.reasoning += &text.text,
                Event::ToolCallStart { name, .. } => {
                    reading.calls.push((name.clone(), String::new()))
                }
                Event::ToolCallArguments { json, .. } => {
                    reading.calls.last_mut().expect("a call has begun").1 += json
                }
                _ => {}
            }
        }
    });
    reading
}
