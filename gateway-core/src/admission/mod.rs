//! Admission: who goes next when no endpoint has room.
//!
//! A request that every endpoint would only queue waits here instead, where it can still be put in order, sent to
//! whichever endpoint has room first, or given up. The [`Queue`] is plain data: no clock, no waiting, no lock. Whoever
//! drives it tells it who comes, who leaves and that there may be room ([`Queue::news`]), wakes who has the
//! [turn](Queue::turn), and tells what came of it.
//!
//! - **Classes** go by priority, the higher first ([`Class`]). A class with a [`share`](Class::share) gets at least that
//!   part of the tokens while a higher one has a backlog, so that it does not starve.
//! - **Flows** within a class, one per caller, take turns by deficit round robin over tokens (Shreedhar and Varghese,
//!   1995): whoever sends many or large requests waits for himself, not the others for him. Within a flow the order is that
//!   of arrival.
//! - **Answers that are taken up** go before all classes, and are given up for nobody: their callers read already.
//! - **The door.** The first few in line stand at the door, as the very first may wait for an endpoint of its own (a long
//!   context, a label) while others have room. Those behind may go past him, but never to an endpoint that he waits for.
//! - **Bounds** in requests and tokens, per class and in all. Where all is full, requests of negative priority are given
//!   up, the least and the newest first, for those above them.
//!
//! Whoever is refused is told when to come again: what waits ahead, over the measured rate at which it drains.

mod door;
mod drain;
mod flows;
mod policy;
mod queue;
#[cfg(test)]
mod tests;

pub use policy::{AdmissionPolicy, Class, PolicyError, QueueLimits};
pub use queue::{Arrival, Joined, Queue, Refused, Ticket};
