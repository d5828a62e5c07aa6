//! Notes on their way to the router.

use std::collections::VecDeque;

use gateway_core::decider::{KvNote, TelemetryNote};

use super::{FleetSpec, Router};

/// Notes that arrive late, each kind in order. What is on its way is bounded by what happens within a delay.
#[derive(Debug)]
pub(super) struct Mail {
    telemetry_delay: f64,
    kv_delay: f64,
    telemetry: VecDeque<TelemetryNote>,
    kv: VecDeque<KvNote>,
}

impl Mail {
    pub(super) fn new(fleet: &FleetSpec) -> Self {
        Self {
            telemetry_delay: fleet.telemetry_delay_seconds,
            kv_delay: fleet.kv_delay_seconds,
            telemetry: VecDeque::new(),
            kv: VecDeque::new(),
        }
    }

    pub(super) fn send_telemetry(&mut self, note: TelemetryNote) {
        if self.telemetry_delay.is_finite() {
            self.telemetry.push_back(note);
        }
    }

    pub(super) fn send_kv(&mut self, note: KvNote) {
        if self.kv_delay.is_finite() {
            self.kv.push_back(note);
        }
    }

    /// Delivers what is there by now, in the order of delivery; telemetry first where both come at once.
    pub(super) fn deliver(&mut self, now: f64, router: &mut dyn Router) {
        loop {
            let telemetry = due(
                self.telemetry.front().map(|note| note.now),
                self.telemetry_delay,
            );
            let kv = due(self.kv.front().map(|note| note.now), self.kv_delay);
            if telemetry.min(kv) > now {
                return;
            }
            if telemetry <= kv {
                if let Some(note) = self.telemetry.pop_front() {
                    router.telemetry(&note);
                }
            } else if let Some(note) = self.kv.pop_front() {
                router.kv(&note);
            }
        }
    }
}

fn due(sent: Option<f64>, delay: f64) -> f64 {
    sent.map_or(f64::INFINITY, |sent| sent + delay)
}
