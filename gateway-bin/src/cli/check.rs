//! `gateway check FILE`.

use std::{fs, path::Path};

use super::{args::CheckArgs, out};
use crate::config::{self, Config, ConfigError, Environment, Problem};

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let (config, _) = load(&args.file)?;
    let asked = config
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.discovery.is_needed())
        .count();
    out::line(format_args!(
        "{}: fine; {} endpoints ({asked} to be asked what they are), {} keys",
        args.file.display(),
        config.endpoints.len(),
        config.keys.len()
    ));
    Ok(())
}

/// Reads a file; gives its text as well, to know it again.
pub(super) fn load(file: &Path) -> Result<(Config, String), ConfigError> {
    let text = fs::read_to_string(file).map_err(|error| ConfigError {
        file: file.to_owned(),
        place: None,
        path: String::new(),
        problem: Box::new(Problem::Unreadable(error.to_string())),
    })?;
    let config = config::read(&text, file, &Environment::Process)?;
    Ok((config, text))
}
