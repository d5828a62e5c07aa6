//! Text to token ids, with what was encoded before remembered at boundaries that are proven safe.
