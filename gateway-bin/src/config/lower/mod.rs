//! The file's shape to what the parts are told: everything that no single field can check.

mod adapters;
mod admission;
mod cx;
mod decisions;
mod discovery;
mod endpoints;
mod files;
mod goals;
mod hardware;
mod hedges;
mod keys;
mod migration;
mod models;
mod pairs;
mod pipelines;
mod reach;
mod responses;
mod template;

use std::{collections::BTreeMap, path::Path as FilePath, thread};

use gateway_core::{FleetConfig, prefix::PrefixIndexConfig, residency::ResidencyConfig};
use gateway_router::RouterSettings;

use self::cx::Cx;
pub use self::decisions::{Decisions, read_decisions};
pub(crate) use self::goals::PRIORITIES;
use super::{
    Config, ConfigError, EndpointConfig, Environment, Place, Problem, ServedModel,
    file::{ConfigFile, EndpointsFile},
    yaml::{self, Path},
};

/// The smallest buffer that the HTTP server takes for a head, in bytes.
const HEADER_BYTES_AT_LEAST: usize = 8_192;

/// Reads a configuration from its text; `file` is the name that errors carry.
///
/// # Errors
/// With the place of the first thing that is wrong.
pub fn read(text: &str, file: &FilePath, environment: &Environment) -> Result<Config, ConfigError> {
    read_again(text, file, environment, &BTreeMap::new())
}

/// [`read`] while `known` models are in force: those whose files and settings are as they were stay what they are, with
/// all they remember.
///
/// # Errors
/// As [`read`].
pub fn read_again(
    text: &str,
    file: &FilePath,
    environment: &Environment,
    known: &BTreeMap<String, ServedModel>,
) -> Result<Config, ConfigError> {
    let mut root = parsed(text, file)?;
    expanded(&mut root, file, environment)?;
    let shape = shaped(&root, file)?;
    let root = &root;
    lower(shape, &Cx { file, root, known })
}

/// Reads a list of endpoints, alone or as `endpoints` of a map, as sources bring it.
///
/// # Errors
/// As [`read`].
pub fn read_endpoints(
    text: &str,
    file: &FilePath,
    environment: &Environment,
) -> Result<Vec<EndpointConfig>, ConfigError> {
    let mut root = parsed(text, file)?;
    if matches!(root.kind, yaml::Kind::List(_)) {
        root = root.under("endpoints");
    }
    expanded(&mut root, file, environment)?;
    let read = yaml::read(&root);
    let shape: EndpointsFile =
        read.map_err(|error| failed(file, error.place, &error.path, error.problem))?;
    let (root, known) = (&root, &BTreeMap::new());
    endpoints::lower(shape.endpoints, &Cx { file, root, known })
}

fn failed(file: &FilePath, place: Option<Place>, path: &Path, problem: Problem) -> ConfigError {
    ConfigError {
        file: file.to_owned(),
        place,
        path: path.to_string(),
        problem: Box::new(problem),
    }
}

/// The text as a tree; nothing at all is an empty map.
fn parsed(text: &str, file: &FilePath) -> Result<yaml::Node, ConfigError> {
    let mut root = yaml::parse(text)
        .map_err(|(place, problem)| failed(file, place, &Path::default(), problem))?;
    if matches!(root.kind, yaml::Kind::Null) {
        root.kind = yaml::Kind::Map(Vec::new());
    }
    Ok(root)
}

/// Replaces variables.
fn expanded(
    root: &mut yaml::Node,
    file: &FilePath,
    environment: &Environment,
) -> Result<(), ConfigError> {
    let mut path = Path::default();
    root.expand(environment, &mut path)
        .map_err(|(place, problem)| failed(file, Some(place), &path, problem))
}

fn shaped(root: &yaml::Node, file: &FilePath) -> Result<ConfigFile, ConfigError> {
    yaml::read(root).map_err(|error| failed(file, error.place, &error.path, error.problem))
}

fn lower(file: ConfigFile, cx: &Cx<'_>) -> Result<Config, ConfigError> {
    check_sizes(&file, cx)?;
    let keys = keys::lower(&file.keys, cx)?;
    let models = models::lower(&file.models, cx)?;
    let pipelines = pipelines::lower(file.pipeline.as_ref(), &file.models, cx)?;
    let goals = goals::lower(&file, cx)?;
    let admission = admission::lower(&file.admission, cx)?;
    let hedges = hedges::lower(&file, cx)?;
    let migration = migration::lower(&file, cx)?;
    let responses = responses::lower(&file.responses, cx)?;
    let router = RouterSettings {
        endpoints: Vec::new(),
        pipelines,
        fleet: FleetConfig {
            telemetry: (&file.telemetry).into(),
            health: (&file.health).into(),
            residency: ResidencyConfig {
                index: PrefixIndexConfig {
                    budget_bytes: file.prefix.budget_bytes,
                },
                ..ResidencyConfig::default()
            },
        },
        deadlines: (&file.deadlines).into(),
        retry: (&file.retry).into(),
        hedges,
        migration,
        pairs: pairs::lower(&file),
        watch: (&file.watch).into(),
        text: (&file.text).into(),
        feeds: (&file.kv_events).into(),
        adapters: adapters::lower(&file.adapters, cx)?,
        goals,
        admission,
        limits: (&file.limits).into(),
    };
    let endpoints = endpoints::lower(file.endpoints, cx)?;
    let admin = discovery::admin(&file.admin, cx)?;
    let discovery = discovery::lower(file.discovery, cx)?;
    // What others will say or add is not known yet.
    if discovery.sources.is_empty() && admin.is_empty() {
        endpoints::check_models(&file.models, &endpoints, cx)?;
    }
    endpoints::check_kinds(&file.models, &endpoints, cx)?;
    Ok(Config {
        listen: file.listen.0,
        metrics_listen: file.metrics.listen.map(|address| address.0),
        threads: file
            .threads
            .map_or_else(cores, |threads| usize::from(threads.get())),
        keys: keys.into(),
        endpoints,
        discovery,
        admin: admin.into(),
        models,
        router,
        limits: (&file.limits).into(),
        responses,
        drain: (&file.drain).into(),
        state_file: file.state.file,
        log: (&file.log).into(),
    })
}

/// The cores this process may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn check_sizes(file: &ConfigFile, cx: &Cx<'_>) -> Result<(), ConfigError> {
    let limits = Path::default().key("limits");
    if file.limits.header_bytes < HEADER_BYTES_AT_LEAST {
        let problem = format!("must be {HEADER_BYTES_AT_LEAST} bytes at least");
        return Err(cx.error(&limits.key("header_bytes"), Problem::Invalid(problem)));
    }
    let ratio = file.retry.budget_ratio;
    if !(ratio.is_finite() && ratio >= 0.0) {
        let path = Path::default().key("retry").key("budget_ratio");
        return Err(cx.error(
            &path,
            Problem::Invalid("must be zero or a positive number".to_owned()),
        ));
    }
    for (key, percent) in [
        ("jitter_percent", file.health.jitter_percent),
        ("panic_percent", file.health.panic_percent),
    ] {
        if percent > 100 {
            let path = Path::default().key("health").key(key);
            return Err(cx.error(&path, Problem::Invalid("must be 100 at most".to_owned())));
        }
    }
    check_order(file, cx)?;
    file.log
        .level
        .parse::<tracing_subscriber::filter::Targets>()
        .map(drop)
        .map_err(|error| {
            cx.error(
                &Path::default().key("log").key("level"),
                Problem::Invalid(error.to_string()),
            )
        })
}

/// Bounds that lie the wrong way round.
fn check_order(file: &ConfigFile, cx: &Cx<'_>) -> Result<(), ConfigError> {
    let (telemetry, health) = (&file.telemetry, &file.health);
    let stale = ("stale_after", telemetry.stale_after.0);
    let forget = ("forget_after", telemetry.forget_after.0);
    let (first, most) = (
        ("open_for", health.open_for.0),
        ("open_at_most", health.open_at_most.0),
    );
    for (section, less, more) in [("telemetry", stale, forget), ("health", first, most)] {
        if more.1 < less.1 {
            let path = Path::default().key(section).key(more.0);
            return Err(cx.invalid(&path, format!("must not be less than {}", less.0)));
        }
    }
    Ok(())
}
