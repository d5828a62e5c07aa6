//! Endpoints by DNS: the addresses of a name, or its services with their ports.

mod addresses;
mod look;
mod names;
mod settings;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::look::{Answer, Looker};
pub use self::{
    look::DnsError,
    settings::{DnsRecords, DnsSettings},
};
use super::{Reporter, Seen, linger::Linger, pause::Pause};

/// A name that is asked for again and again.
pub struct Dns {
    looker: Looker,
    settings: DnsSettings,
}

impl Dns {
    /// A source for `settings`.
    ///
    /// # Errors
    /// Where the name is none, or the system's resolver cannot be read.
    pub fn new(settings: DnsSettings) -> Result<Self, DnsError> {
        let looker = Looker::new(&settings)?;
        Ok(Self { looker, settings })
    }

    /// Reports what the name stands for until the task is aborted: asks again when an answer's time is up, keeps the last
    /// good list while servers fail, and what is missing from good answers for as long as the settings say.
    pub async fn follow(self, reporter: Reporter<Seen>) {
        let Self {
            mut looker,
            settings,
        } = self;
        let mut pause = Pause::new(&settings.name, settings.every_at_least, settings.every);
        let mut linger = Linger::new(settings.hold, settings.hold_empty);
        loop {
            let wait = match looker.look().await {
                Ok(Answer {
                    seen,
                    holds_for,
                    is_partial,
                }) => {
                    if is_partial {
                        reporter.failed();
                    }
                    reporter.saw(linger.answered(seen, Instant::now()));
                    let wanted = if linger.waits() {
                        Duration::ZERO
                    } else {
                        holds_for
                    };
                    pause.after(wanted)
                }
                Err(error) => {
                    tracing::debug!(name = settings.name, %error, "name cannot be looked up");
                    reporter.failed();
                    pause.after_failure()
                }
            };
            sleep(wait).await;
        }
    }
}
