//! What a feed is told about its endpoint.

/// How a feed translates, and how much it may keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedConfig {
    /// Tokens in one of the router's own blocks, 1 to 4096; an engine's may be shorter or longer, and its blocks count
    /// for as many own ones as they cover wholly.
    pub block_tokens: u32,
    /// The most blocks of the engine that one rank may hold; some 60 bytes each. More are refused and counted.
    pub block_limit: usize,
    /// The most bytes of messages held while a replay is under way.
    pub held_limit_bytes: usize,
    /// A feed whose messages take longer than so many seconds is not exact.
    pub late_after_secs: f64,
}

impl Default for FeedConfig {
    /// Own blocks of 16 tokens, a million blocks of the engine, 16 MiB held, late after 2 seconds.
    fn default() -> Self {
        Self {
            block_tokens: 16,
            block_limit: 1 << 20,
            held_limit_bytes: 16 << 20,
            late_after_secs: 2.0,
        }
    }
}
