use proptest::prelude::*;

use super::*;

fn head(status: u16, headers: &[(&str, &str)]) -> AnswerHead {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    AnswerHead { status, headers: headers.collect() }
}

/// Tells which header of an answer 200 is looser.
fn header(name: &str, new: &str, old: &str) -> bool {
    let head = |value: &str| match value {
        "-" => head(200, &[]),
        _ => head(200, &[(name, value)]),
    };
    let found = looser(&head(new), &head(old));
    if let Some(what) = &found {
        assert!(what.starts_with(&format!("{name} is ")), "{what}");
    }
    found.is_some()
}

#[test]
fn a_status_that_gives_away_more_is_looser() {
    for (new, old, expected) in [
        (200, 401, Some("status 200, the old version's is 401")),
        (304, 403, Some("status 304, the old version's is 403")),
        (404, 401, Some("status 404, the old version's is 401")),
        (200, 410, Some("status 200, the old version's is 410")),
        (302, 404, Some("status 302, the old version's is 404")),
        (401, 401, None),
        (403, 401, None),
        (401, 200, None),
        (404, 410, None),
        // Failures are counted elsewhere.
        (500, 401, None),
        (200, 503, None),
    ] {
        let found = looser(&head(new, &[]), &head(old, &[]));
        assert_eq!(found.as_deref(), expected, "{new} after {old}");
    }
}

#[test]
fn caching_may_only_become_stricter() {
    const YEAR: &str = "max-age=31536000";
    for (new, old, looser) in [
        ("public, max-age=31536000, immutable", "private, max-age=31536000, immutable", true),
        ("private, max-age=31536000, immutable", "public, max-age=31536000, immutable", false),
        (YEAR, "private, max-age=31536000", true),
        ("no-store", "public, max-age=60", false),
        ("no-cache", "no-store", true),
        ("private", "no-store", true),
        ("-", "no-store", true),
        ("no-store", "-", false),
        ("no-cache", "-", false),
        ("-", "no-cache", true),
        ("max-age=0", "no-cache", true),
        ("no-cache", "max-age=0, must-revalidate", false),
        ("max-age=60", "max-age=60, must-revalidate", true),
        ("max-age=60", "max-age=60, proxy-revalidate", true),
        ("max-age=60, must-revalidate", "max-age=60, proxy-revalidate", false),
        ("private, max-age=60", "max-age=60, proxy-revalidate", false),
        ("max-age=61", "max-age=60", true),
        ("max-age=60", "max-age=60", false),
        ("max-age=59", "max-age=60", false),
        // Without a time, a cache chooses one.
        ("public", "public, max-age=60", true),
        ("max-age=60", "-", false),
        ("max-age=soon", "max-age=60", true),
        ("max-age=60", "max-age=soon", true),
        ("max-age=60, stale-while-revalidate=1", "max-age=60", true),
        ("max-age=60, stale-if-error=2", "max-age=60, stale-if-error=2", false),
        ("max-age=60, immutable", "max-age=60", true),
        ("MAX-AGE=60 , Private", "private, max-age=60", false),
        ("private=\"set-cookie\", max-age=60", "private, max-age=60", true),
        ("public, no-cache", "no-cache", true),
    ] {
        assert_eq!(header("cache-control", new, old), looser, "{new} after {old}");
    }
    assert!(header("cdn-cache-control", "public, max-age=60", "-"));
    assert!(!header("cdn-cache-control", "no-store", "-"));
}

#[test]
fn shared_caches_keep_no_more_and_not_for_longer() {
    for (new, old, looser) in [
        ("max-age=60, s-maxage=60", "max-age=60", true),
        ("max-age=60, s-maxage=61", "max-age=60, s-maxage=60", true),
        ("max-age=60, s-maxage=60", "max-age=60, s-maxage=60", false),
        ("private, max-age=60, s-maxage=99", "private, max-age=60", false),
        ("private, max-age=60, s-maxage=99", "max-age=60, s-maxage=60", false),
        ("max-age=60, s-maxage=59", "max-age=60, s-maxage=60", false),
        ("max-age=60, s-maxage=never", "max-age=60, s-maxage=60", true),
        ("max-age=10", "max-age=10, s-maxage=5", true),
        ("public, max-age=10", "max-age=60, s-maxage=60", false),
    ] {
        assert_eq!(header("cache-control", new, old), looser, "{new} after {old}");
    }
}

#[test]
fn a_field_for_the_cdn_replaces_the_one_for_all_caches() {
    let old = head(200, &[("cache-control", "no-store")]);
    for name in ["cdn-cache-control", "cloudflare-cdn-cache-control"] {
        let new = head(200, &[("cache-control", "no-store"), (name, "max-age=60")]);
        let expected = format!("{name} is max-age=60, the old version's is missing");
        assert_eq!(looser(&new, &old), Some(expected));
        assert_eq!(looser(&old, &new), None);
    }
}

#[test]
fn the_caching_of_a_stale_answer_is_not_compared() {
    let exact = head(200, &[("cache-control", "public, max-age=60")]);
    let stale = head(200, &[("cache-control", "no-cache"), ("component-stale", "3")]);
    assert_eq!(looser(&exact, &stale), None);
    assert!(looser(&exact, &head(200, &[("cache-control", "no-cache")])).is_some());
}

#[test]
fn vary_keeps_its_members() {
    for (new, old, looser) in [
        ("authorization", "Authorization", false),
        ("Origin, Authorization", "Authorization", false),
        ("Origin", "Authorization, Origin", true),
        ("-", "Authorization", true),
        ("*", "Authorization", false),
        ("Authorization", "*", true),
        ("Authorization", "-", false),
    ] {
        assert_eq!(header("vary", new, old), looser, "{new} after {old}");
    }
}

#[test]
fn a_content_security_policy_may_only_become_stricter() {
    const OURS: &str = "default-src 'none'; sandbox";
    for (new, old, looser) in [
        (OURS, OURS, false),
        ("-", OURS, true),
        (OURS, "-", false),
        ("default-src 'none'", OURS, true),
        ("default-src 'self'; sandbox", OURS, true),
        ("default-src 'none'; sandbox allow-scripts", OURS, true),
        ("sandbox; default-src 'none'; frame-ancestors 'none'", OURS, false),
        ("default-src 'none'; script-src 'self'; sandbox", OURS, true),
        ("default-src 'none'; script-src 'none'; sandbox", OURS, false),
        ("default-src 'none'; sandbox, default-src 'self'", OURS, false),
        (OURS, "default-src 'none', sandbox", false),
        ("default-src 'self'", "default-src 'self'; script-src 'none'", true),
        ("default-src 'self'", "script-src 'self'", false),
        ("script-src 'self'; script-src-elem *", "script-src 'self'", true),
        ("child-src 'self'; frame-src *", "child-src 'self'", true),
        ("script-src 'self'; worker-src *", "script-src 'self'", true),
        ("style-src 'self'; style-src-attr *", "style-src 'self'", true),
        ("default-src 'none'; default-src *; sandbox", OURS, false),
        ("DEFAULT-SRC 'NONE'; sandbox", OURS, false),
        ("frame-ancestors *", "frame-ancestors 'none'", true),
        ("default-src 'none'; sandbox; report-uri /x", OURS, false),
        ("sandbox", "require-trusted-types-for 'script'; sandbox", true),
        ("require-trusted-types-for 'script'", "require-trusted-types-for 'script'", false),
        ("require-trusted-types-for", "require-trusted-types-for 'script'", true),
    ] {
        assert_eq!(header(csp::FIELD, new, old), looser, "{new} after {old}");
    }
}

#[test]
fn fixed_headers_keep_their_values() {
    for name in FIXED {
        assert!(header(name, "-", "nosniff"));
        assert!(header(name, "other", "nosniff"));
        assert!(!header(name, "nosniff", "nosniff"));
        assert!(!header(name, "nosniff", "-"));
    }
}

#[test]
fn a_challenge_keeps_its_scheme() {
    for (new, old, looser) in [
        ("Bearer", "Bearer", false),
        ("bearer realm=\"x\"", "Bearer", false),
        ("Basic", "Bearer", true),
        ("-", "Bearer", true),
        ("Bearer", "-", false),
    ] {
        assert_eq!(header(CHALLENGE, new, old), looser, "{new} after {old}");
    }
}

#[test]
fn pages_of_other_origins_get_no_further_rights() {
    for (name, new, old, looser) in [
        ("access-control-allow-origin", "*", "-", true),
        ("access-control-allow-origin", "https://a", "*", false),
        ("access-control-allow-origin", "https://a", "https://a", false),
        ("access-control-allow-origin", "https://b", "https://a", true),
        ("access-control-allow-origin", "-", "*", false),
        ("access-control-allow-credentials", "true", "-", true),
        ("access-control-allow-credentials", "-", "true", false),
        ("access-control-allow-private-network", "true", "-", true),
        ("access-control-allow-methods", "GET, PUT", "GET", true),
        ("access-control-allow-methods", "get", "GET, PUT", false),
        ("access-control-allow-headers", "Authorization", "-", true),
        ("access-control-allow-headers", "Authorization", "*", false),
        ("access-control-expose-headers", "*", "ETag", true),
        ("access-control-max-age", "86400", "-", true),
        ("access-control-max-age", "5", "-", false),
        ("access-control-max-age", "60", "86400", false),
        ("access-control-max-age", "forever", "86400", true),
    ] {
        assert_eq!(header(name, new, old), looser, "{name}: {new} after {old}");
    }
}

proptest! {
    /// A release of the same answers always passes.
    #[test]
    fn an_answer_is_not_looser_than_itself(
        status in 100u16..600,
        names in prop::collection::btree_map(
            prop::sample::select(vec![
                "cache-control", "cdn-cache-control", "vary", csp::FIELD, CHALLENGE,
                "access-control-allow-origin", "access-control-allow-headers",
                "x-content-type-options",
            ]),
            "[a-z*'=;, -]{0,40}",
            0..6,
        ),
    ) {
        let headers = names.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let head = AnswerHead { status, headers };
        prop_assert_eq!(looser(&head, &head), None);
    }
}
