use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("a header value"),
        )
    };
    pairs.iter().map(pair).collect()
}

fn ring() -> KeyRing {
    let ending = KeyEntry {
        expires_unix: Some(1_000),
        ..KeyEntry::new("ending", KeyHash::of("gw-ending"))
    };
    let narrow = KeyEntry {
        models: vec!["b".into(), "a".into()],
        ..KeyEntry::new("narrow", KeyHash::of("gw-narrow"))
    };
    let star = KeyEntry {
        models: vec!["a".into(), "*".into()],
        explain: true,
        ..KeyEntry::new("star", KeyHash::of("gw-star"))
    };
    KeyRing::new([ending, narrow, star]).expect("valid")
}

#[test]
fn every_way_to_send_a_key_opens() {
    let ring = ring();
    for (name, value) in [
        ("authorization", "Bearer gw-star"),
        ("authorization", "bearer   gw-star "),
        ("x-api-key", "gw-star"),
        ("api-key", " gw-star"),
    ] {
        let key = ring
            .authenticate(&headers(&[(name, value)]), 0)
            .expect(name);
        assert_eq!(&**key.name(), "star");
        assert!(key.may_explain());
    }
    let both = headers(&[
        ("authorization", "Basic dXNlcg=="),
        ("x-api-key", "gw-star"),
    ]);
    assert!(
        ring.authenticate(&both, 0).is_ok(),
        "another scheme is not ours and hides nothing"
    );
}

#[test]
fn wrong_and_missing_keys_do_not() {
    let ring = ring();
    let long = "g".repeat(10_000);
    for (name, value, denied) in [
        ("authorization", "Bearer gw-stars", Denied::Unknown),
        ("authorization", "Bearer ", Denied::Missing),
        ("authorization", "gw-star", Denied::Missing),
        ("authorization", "Bearer", Denied::Missing),
        ("x-api-key", "", Denied::Missing),
        ("x-api-key", long.as_str(), Denied::Unknown),
        ("cookie", "key=gw-star", Denied::Missing),
    ] {
        assert_eq!(
            ring.authenticate(&headers(&[(name, value)]), 0)
                .expect_err(value),
            denied,
            "{name}: {value}"
        );
    }
    let bearer_first = headers(&[("authorization", "Bearer wrong"), ("x-api-key", "gw-star")]);
    assert_eq!(
        ring.authenticate(&bearer_first, 0)
            .expect_err("bearer counts alone"),
        Denied::Unknown
    );
    let empty = KeyRing::default();
    assert!(empty.is_empty());
    assert_eq!(
        empty
            .authenticate(&headers(&[("x-api-key", "gw-star")]), 0)
            .expect_err("empty"),
        Denied::Unknown
    );
}

#[test]
fn a_key_ends_at_its_second() {
    let ring = ring();
    let sent = headers(&[("x-api-key", "gw-ending")]);
    assert!(ring.authenticate(&sent, 999).is_ok());
    let denied = ring.authenticate(&sent, 1_000).expect_err("over");
    assert_eq!(
        (denied.to_api().status, denied.code()),
        (401, "expired_api_key")
    );
}

#[test]
fn models_are_matched_exactly() {
    let ring = ring();
    let narrow = ring
        .authenticate(&headers(&[("x-api-key", "gw-narrow")]), 0)
        .expect("known");
    assert!(narrow.may_use("a") && narrow.may_use("b"));
    assert!(
        !narrow.may_use("A")
            && !narrow.may_use("ab")
            && !narrow.may_use("*")
            && !narrow.may_use("")
    );
    let api = narrow.check_model("c").expect_err("not allowed").to_api();
    assert_eq!(
        (api.status, api.code.as_deref(), api.param.as_deref()),
        (403, Some("model_not_allowed"), Some("model"))
    );
    let star = ring
        .authenticate(&headers(&[("x-api-key", "gw-star")]), 0)
        .expect("known");
    assert!(star.may_use("anything"));
}

#[test]
fn twins_are_refused() {
    let entry = |name: &str, key: &str| KeyEntry::new(name, KeyHash::of(key));
    let names = KeyRing::new([entry("a", "1"), entry("a", "2")]).expect_err("same name");
    assert_eq!(names, RingError::DuplicateName("a".into()));
    let hashes = KeyRing::new([entry("a", "1"), entry("b", "1")]).expect_err("same hash");
    assert_eq!(hashes, RingError::DuplicateHash("a".into(), "b".into()));
}

#[test]
fn hashes_read_back_and_bad_ones_do_not() {
    // The well-known digest of "abc" (FIPS 180-2, appendix B.1).
    let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(KeyHash::of("abc").to_string(), abc);
    assert_eq!(
        abc.to_uppercase()
            .replace("SHA256", "sha256")
            .parse::<KeyHash>()
            .expect("upper case"),
        KeyHash::of("abc")
    );
    for bad in [
        "",
        "sha256:",
        "abc",
        &abc[..70],
        &abc.replace('b', "g"),
        &format!("{abc}00"),
        &abc.replace("ba", "é"),
    ] {
        assert!(bad.parse::<KeyHash>().is_err(), "{bad}");
    }
}

#[test]
fn no_debug_output_holds_a_secret() {
    let shown = format!("{:?} {:?}", ring(), KeyHash::of("gw-star"));
    let hex = KeyHash::of("gw-star").to_string();
    assert!(
        !shown.contains("gw-") && !shown.contains(&hex[7..20]),
        "{shown}"
    );
}

#[test]
fn generated_keys_are_long_and_differ() {
    let (a, b) = (
        generate().expect("randomness"),
        generate().expect("randomness"),
    );
    assert_ne!(a, b);
    assert!(a.starts_with("gw-") && a.len() == 67);
}

#[test]
fn stripping_leaves_nothing_of_the_caller() {
    let mut all = headers(&[
        ("authorization", "Bearer gw-star"),
        ("proxy-authorization", "Basic x"),
        ("x-api-key", "k"),
        ("api-key", "k"),
        ("cookie", "a=b"),
        ("forwarded", "for=1.2.3.4"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "1.2.3.4"),
        ("x-gateway-explain", "1"),
        ("x-gateway-user", "root"),
        ("content-type", "application/json"),
        ("x-request-id", "r1"),
    ]);
    all.append("x-gateway-user", HeaderValue::from_static("twice"));
    strip(&mut all);
    let mut left: Vec<_> = all.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["content-type", "x-request-id"]);
}
