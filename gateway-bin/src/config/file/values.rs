//! Values that are written as text.

use std::{net::SocketAddr, time::Duration};

use gateway_govern::keys::{KeyHash, parse_expiry};
use gateway_router::{Credential, Target, TargetError};
use jiff::SignedDuration;
use serde::{Serialize, Serializer};

/// Times may be added, doubled and put on top of a date without looking; nobody waits longer.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// A time that is not zero, such as `250ms`, `5s` or `1m 30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A time that may be zero, such as `0s` or `5s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause(pub Duration);

/// An address and port, such as `127.0.0.1:8080` or `[::]:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

/// Where an engine listens, such as `http://10.0.0.7:8000`.
#[derive(Clone, Debug)]
pub struct Engine(pub Target);

/// The stored form of a key.
#[derive(Clone, Copy, Debug)]
pub struct Hash(pub KeyHash);

/// The end of a key, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry(pub i64);

/// What is sent to an engine as `Authorization: Bearer`.
#[derive(Clone, Debug)]
pub struct Secret(pub Credential);

impl Default for Address {
    /// Loopback: nobody outside reaches a gateway that was not told to be reached.
    fn default() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }
}

/// Gives a type its deserializer and its schema: text in the form that `$form` says, read by `$read`.
macro_rules! written {
    ($type:ident, $form:literal, $read:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($form)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        $read(text.trim()).map($type).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": concat!("Write ", $form, ".") })
            }
        }
    };
}

pub(super) use written;

written!(
    Span,
    "a time above zero such as `250ms`, `5s` or `1m 30s`",
    span
);
written!(Pause, "a time such as `0s`, `250ms` or `1m 30s`", pause);
written!(
    Address,
    "an address and a port such as `127.0.0.1:8080` or `[::]:8080`",
    address
);
written!(
    Engine,
    "an engine's address such as `http://10.0.0.7:8000`",
    engine
);
written!(
    Hash,
    "`sha256:` and 64 hex digits, as `gateway hash-key` prints them",
    str::parse::<KeyHash>
);
written!(
    Expiry,
    "a time such as `2026-12-31T23:59:59Z`, or seconds since 1970 in quotes",
    parse_expiry
);
written!(Secret, "the secret, best as `${NAME}`", Credential::bearer);

#[derive(Debug, thiserror::Error)]
pub(super) enum TimeError {
    #[error("`{0}` is no time; write it as `250ms`, `5s` or `1m 30s`")]
    Malformed(String),
    #[error("a time of zero makes no sense here")]
    Zero,
    #[error("`{0}` is more than a hundred years")]
    Endless(String),
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no address with a port; write it as `127.0.0.1:8080` or `[::]:8080`")]
struct AddressError(String);

#[derive(Debug, thiserror::Error)]
enum EngineError {
    /// Such an address is not repeated, as it may hold a password.
    #[error("no `@` may stand in an engine's address; a secret goes into `credential`")]
    UserInfo,
    #[error(transparent)]
    Target(#[from] TargetError),
}

fn engine(text: &str) -> Result<Target, EngineError> {
    if text.contains('@') {
        return Err(EngineError::UserInfo);
    }
    Ok(Target::parse(text)?)
}

fn address(text: &str) -> Result<SocketAddr, AddressError> {
    text.parse().map_err(|_| AddressError(text.to_owned()))
}

fn pause(text: &str) -> Result<Duration, TimeError> {
    let malformed = || TimeError::Malformed(text.to_owned());
    let time: SignedDuration = text.parse().map_err(|_| malformed())?;
    let time = Duration::try_from(time).map_err(|_| malformed())?;
    if time > LONGEST {
        return Err(TimeError::Endless(text.to_owned()));
    }
    Ok(time)
}

pub(super) fn span(text: &str) -> Result<Duration, TimeError> {
    pause(text).and_then(|time| {
        if time.is_zero() {
            Err(TimeError::Zero)
        } else {
            Ok(time)
        }
    })
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Pause(self.0).serialize(serializer)
    }
}

impl Serialize for Pause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let time = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        serializer.collect_str(&format_args!("{time:#}"))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
