//! What an endpoint's KV cache is like, for those that would pass it on or take it over.

use std::fmt;

/// What two endpoints must agree on before one can decode from what the other has computed.
///
/// What is unset agrees with anything. Chips and vendors do not matter; what lies on the wire between them does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvDescriptor {
    /// How the cache is moved, such as `nixl`. Two connectors never understand each other.
    pub connector: Option<String>,
    /// How a block is laid out in memory, such as `HND`.
    pub layout: Option<String>,
    /// The type of its numbers, such as `bf16`.
    pub dtype: Option<String>,
    /// Tokens of one block.
    pub block_tokens: Option<u32>,
    /// The weights that computed it, where the model's name alone does not tell them.
    pub model: Option<String>,
    /// Devices that a layer is spread over, where the connector cannot deal with different numbers.
    pub tensor_parallel: Option<u32>,
}

/// The first thing that two endpoints disagree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KvMismatch {
    what: &'static str,
    prefill: String,
    decode: String,
}

impl fmt::Display for KvMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            prefill,
            decode,
        } = self;
        write!(f, "{what} {prefill}, not {decode}")
    }
}

impl KvDescriptor {
    /// Whether `decode` can go on from what this endpoint has computed.
    #[must_use]
    pub fn fits(&self, decode: &Self) -> bool {
        self.mismatch(decode).is_none()
    }

    /// The first thing that keeps `decode` from going on from what this endpoint has computed; `None` where it
    /// [`fits`](Self::fits).
    #[must_use]
    pub fn mismatch(&self, decode: &Self) -> Option<KvMismatch> {
        let text = |what, mine: &Option<String>, its: &Option<String>| {
            differ(what, mine.as_ref(), its.as_ref())
        };
        text("connector", &self.connector, &decode.connector)
            .or_else(|| text("layout", &self.layout, &decode.layout))
            .or_else(|| text("dtype", &self.dtype, &decode.dtype))
            .or_else(|| differ("block_tokens", self.block_tokens, decode.block_tokens))
            .or_else(|| text("model", &self.model, &decode.model))
            .or_else(|| {
                let (mine, its) = (self.tensor_parallel, decode.tensor_parallel);
                differ("tensor_parallel", mine, its)
            })
    }
}

fn differ<T: PartialEq + fmt::Display>(
    what: &'static str,
    prefill: Option<T>,
    decode: Option<T>,
) -> Option<KvMismatch> {
    let (prefill, decode) = (prefill?, decode?);
    (prefill != decode).then(|| KvMismatch {
        what,
        prefill: prefill.to_string(),
        decode: decode.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> KvDescriptor {
        KvDescriptor {
            connector: Some("nixl".to_owned()),
            layout: Some("HND".to_owned()),
            dtype: Some("bf16".to_owned()),
            block_tokens: Some(16),
            model: Some("w1".to_owned()),
            tensor_parallel: Some(2),
        }
    }

    #[test]
    fn what_is_unset_agrees_with_anything_and_what_differs_is_named() {
        let nothing = KvDescriptor::default();
        assert!(nothing.fits(&told()) && told().fits(&nothing) && told().fits(&told()));
        let other = |change: fn(&mut KvDescriptor)| {
            let mut other = told();
            change(&mut other);
            assert!(!told().fits(&other), "{other:?}");
            told().mismatch(&other).expect("differs").to_string()
        };
        let said = [
            other(|kv| kv.connector = Some("mooncake".to_owned())),
            other(|kv| kv.layout = Some("NHD".to_owned())),
            other(|kv| kv.dtype = Some("fp8".to_owned())),
            other(|kv| kv.block_tokens = Some(128)),
            other(|kv| kv.model = Some("w2".to_owned())),
            other(|kv| kv.tensor_parallel = Some(4)),
        ];
        assert_eq!(
            said,
            [
                "connector nixl, not mooncake",
                "layout HND, not NHD",
                "dtype bf16, not fp8",
                "block_tokens 16, not 128",
                "model w1, not w2",
                "tensor_parallel 2, not 4"
            ]
        );
        assert_eq!(told().mismatch(&nothing), None);
    }
}
