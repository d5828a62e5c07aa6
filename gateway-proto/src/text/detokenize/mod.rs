//! Token ids to text, token by token.
