//! The whole file.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;

use gateway_core::Registry;

use super::{
    AdapterFile, Address, AdminFile, AdmissionFile, DeadlinesFile, DiscoveryFile, DrainFile,
    EndpointFile, FeedsFile, HealthFile, HedgeFile, KeyFile, LimitsFile, LogFile, MetricsFile,
    MigrationFile, ModelFile, ObjectivesFile, PairsFile, PipelineFile, PrefixFile, ResponsesFile,
    RetryFile, StateFile, TelemetryFile, TextFile, WatchFile,
};

/// The configuration of the gateway.
///
/// In text values, `${NAME}` stands for an environment variable, `${NAME:-default}` for one with a default, `$$` for a
/// dollar sign. Unknown keys are refused.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "GatewayConfig")]
pub struct ConfigFile {
    /// Address and port to serve clients on. Read at the start only.
    pub listen: Address,
    /// Threads that serve clients; the number of cores where unset. Read at the start only.
    pub threads: Option<std::num::NonZeroU16>,
    /// Who may come in. Without keys nobody can.
    pub keys: Vec<KeyFile>,
    /// Models with settings of their own. Models without are served as well.
    pub models: Vec<ModelFile>,
    /// How endpoints are chosen for models without a pipeline of their own.
    pub pipeline: Option<PipelineFile>,
    /// Times that requests are to meet which bring none themselves.
    pub objectives: ObjectivesFile,
    /// How much requests matter beside others that say nothing themselves, -100 to 100; 0 where unset.
    pub priority: Option<i8>,
    /// The engines.
    pub endpoints: Vec<EndpointFile>,
    /// Where more engines are found.
    pub discovery: DiscoveryFile,
    /// Who may add, drain and remove endpoints while the gateway runs.
    pub admin: AdminFile,
    /// LoRA adapters that vLLM and `SGLang` are asked to load when they are asked for.
    pub adapters: Vec<AdapterFile>,
    /// How long the phases of a request may take.
    pub deadlines: DeadlinesFile,
    /// When a failed request is tried on another endpoint.
    pub retry: RetryFile,
    /// When a second endpoint is asked for what a first one is silent on.
    pub hedge: HedgeFile,
    /// When another engine takes up an answer that one has failed in the middle.
    pub migration: MigrationFile,
    /// Who waits when no endpoint has room, and who goes first.
    pub admission: AdmissionFile,
    /// How requests are split between a prefill and a decode engine.
    pub pairs: PairsFile,
    /// How engines are probed and read.
    pub watch: WatchFile,
    /// What the age of an engine's telemetry means. Read at the start only.
    pub telemetry: TelemetryFile,
    /// When an endpoint is taken out of use. Read at the start only.
    pub health: HealthFile,
    /// The index of cached prefixes. Read at the start only.
    pub prefix: PrefixFile,
    /// How prompts are cut into blocks for prefix matching.
    pub text: TextFile,
    /// What engines say of their caches.
    pub kv_events: FeedsFile,
    /// Sizes and times at the front door.
    pub limits: LimitsFile,
    /// Responses and conversations that are kept. Read at the start only.
    pub responses: ResponsesFile,
    /// How the gateway stops.
    pub drain: DrainFile,
    /// What was learned, over restarts. Read at the start only.
    pub state: StateFile,
    /// What is logged. Read at the start only.
    pub log: LogFile,
    /// Where metrics are served. Read at the start only.
    pub metrics: MetricsFile,
}

/// The JSON schema of the file, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    let schema = SchemaSettings::draft07()
        .into_generator()
        .into_root_schema_for::<ConfigFile>();
    let mut schema = schema.to_value();
    let [filters, scorers, pickers] = Registry::builtin().names().map(|names| names.join(", "));
    let known =
        format!("Known filters: {filters}. Known scorers: {scorers}. Known pickers: {pickers}.");
    if let Some(plugin) = schema.pointer_mut("/definitions/PluginFile")
        && let Some(serde_json::Value::String(text)) = plugin.get_mut("description")
    {
        text.push_str("\n\n");
        text.push_str(&known);
    }
    schema
}
