//! Tests of the choice of a configuration and of its settings: tables of files and results.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::configuration::{Config, find_in, load};
use super::environment::refuse_dotenv;
use super::find::candidates;
use super::home::Home;
use super::ids::{given_or_configured, lacks_id, provisioned_title};

const ONE: &str = "0123456789abcdef0123456789abcdef";
const TWO: &str = "fedcba9876543210fedcba9876543210";

const TOML: &str = r#"
name = "component-resolver"
account_id = "aaaa"
[[kv_namespaces]]
binding = "SLOTS"
id = "local-slots"
preview_id = "preview-slots"
[[kv_namespaces]]
binding = "COMPONENTS"
[[env.staging.kv_namespaces]]
binding = "SLOTS"
id = "0123456789abcdef0123456789abcdef"
[[env.staging.kv_namespaces]]
binding = "COMPONENTS"
[env.production]
name = "resolver"
account_id = "bbbb"
[[env.production.kv_namespaces]]
binding = "SLOTS"
id = "replace-me"
[[env.production.kv_namespaces]]
binding = "COMPONENT"
id = "fedcba9876543210fedcba9876543210"
[env.empty]
[[env.twice.kv_namespaces]]
binding = "SLOTS"
id = "0123456789abcdef0123456789abcdef"
[[env.twice.kv_namespaces]]
binding = "SLOTS"
id = "fedcba9876543210fedcba9876543210"
"#;

/// The same configuration as JSON, with everything that wrangler allows in it.
const JSONC: &str = r#"{
    // A comment with a "quote" and a comma,
    "name": "component-resolver", /* and another */
    "account_id": "aaaa",
    "url": "https://example.com/*",
    "kv_namespaces": [
        { "binding": "SLOTS", "id": "local-slots", "preview_id": "preview-slots" },
        { "binding": "COMPONENTS" },
    ],
    "env": {
        "staging": {
            "kv_namespaces": [
                { "binding": "SLOTS", "id": "0123456789abcdef0123456789abcdef" },
                { "binding": "COMPONENTS" },
            ],
        },
        "production": {
            "name": "resolver",
            "account_id": "bbbb",
            "kv_namespaces": [
                { "binding": "SLOTS", "id": "replace-me" },
                { "binding": "COMPONENT", "id": "fedcba9876543210fedcba9876543210" },
            ],
        },
        "empty": {},
        "twice": {
            "kv_namespaces": [
                { "binding": "SLOTS", "id": "0123456789abcdef0123456789abcdef" },
                { "binding": "SLOTS", "id": "fedcba9876543210fedcba9876543210" },
            ],
        },
    },
}"#;

const OTHER_APP: &str = r#"{ "name": "shop", "kv_namespaces": [{ "binding": "CARTS" }] }"#;

/// Creates a folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    root
}

fn config(file: &str, text: &str, env: Option<&str>) -> (TempDir, Config) {
    let root = folder(&[(file, text)]);
    let found = load(Some(&root.path().join(file)), env).unwrap().unwrap();
    (root, found)
}

fn bindings(slots: &str, components: &str) -> String {
    format!(
        "[[kv_namespaces]]\nbinding = \"SLOTS\"\nid = \"{slots}\"\n\
         [[kv_namespaces]]\nbinding = \"COMPONENTS\"\nid = \"{components}\"\n"
    )
}

#[test]
fn all_configuration_formats_are_read_alike() {
    for (file, text) in [
        ("wrangler.toml", TOML.to_owned()),
        ("wrangler.jsonc", JSONC.to_owned()),
        ("wrangler.json", JSONC.to_owned()),
        ("mine.jsonc", format!("\u{feff}{JSONC}")),
        ("mine.toml", format!("\u{feff}{TOML}")),
    ] {
        for (env, home, slots, components) in [
            (None, Home::Local, Some("preview-slots"), Some("COMPONENTS")),
            (Some("staging"), Home::Local, Some(ONE), Some("COMPONENTS")),
            (Some("staging"), Home::Cloudflare, Some(ONE), None),
        ] {
            let (_root, config) = config(file, &text, env);
            for (binding, id) in [("SLOTS", slots), ("COMPONENTS", components)] {
                let found = given_or_configured(None, Some(&config), binding, home).unwrap();
                assert_eq!(found.as_deref(), id, "{file} {env:?} {binding}");
            }
        }
        for (env, name, account) in [
            (None, "component-resolver", "aaaa"),
            (Some("staging"), "component-resolver-staging", "aaaa"),
            (Some("production"), "resolver", "bbbb"),
        ] {
            let (_root, config) = config(file, &text, env);
            assert_eq!(config.worker_name().unwrap(), name);
            assert_eq!(config.account_id().unwrap().as_deref(), Some(account));
        }
    }
}

/// Environment, binding, home and message; `@` is the file.
const MISSING: &[(Option<&str>, &str, Home, &str)] = &[
    (
        None,
        "SLOTS",
        Home::Cloudflare,
        "SLOTS of the top level of @ is local (`local-slots`): name an environment with `--env` (empty, production, staging, twice)",
    ),
    (
        Some("production"),
        "SLOTS",
        Home::Cloudflare,
        "SLOTS in env.production.kv_namespaces of @ has no namespace id yet (`replace-me`): `npx wrangler kv namespace create production-slots --config @` makes one, put its id there",
    ),
    (
        Some("production"),
        "COMPONENTS",
        Home::Local,
        "env.production.kv_namespaces in @ has no binding COMPONENTS (did you mean `COMPONENT`?); environments inherit no bindings: add it, or say --components-id (or SLOTCTL_COMPONENTS_ID) or `--config FILE`",
    ),
    (
        Some("empty"),
        "SLOTS",
        Home::Cloudflare,
        "env.empty.kv_namespaces in @ has no binding SLOTS; environments inherit no bindings: add it, or say --slots-id (or SLOTCTL_SLOTS_ID) or `--config FILE`",
    ),
    (
        Some("prod"),
        "SLOTS",
        Home::Local,
        "in @: there is no environment `prod` (did you mean `production`?): `--env` or CLOUDFLARE_ENV names one",
    ),
    (
        Some("blue"),
        "SLOTS",
        Home::Cloudflare,
        "in @: there is no environment `blue` (there is `empty`, `production`, `staging`, `twice`): `--env` or CLOUDFLARE_ENV names one",
    ),
    (
        Some("twice"),
        "SLOTS",
        Home::Cloudflare,
        "in @: env.twice.kv_namespaces binds SLOTS more than once, which wrangler refuses: leave one",
    ),
];

#[test]
fn missing_namespace_id_error_says_what_to_do() {
    for (env, binding, home, said) in MISSING.iter().copied() {
        let (root, config) = config("wrangler.toml", TOML, env);
        let error = given_or_configured(None, Some(&config), binding, home).unwrap_err();
        let file = root.path().join("wrangler.toml");
        let said = said.replace('@', &file.display().to_string());
        assert_eq!(format!("{error:#}"), said);
    }
}

#[test]
fn missing_or_malformed_configuration_is_an_error() {
    let root = folder(&[
        ("wrangler.jsonc", "{}"),
        ("broken.toml", "kv_namespaces = 1"),
        ("broken.jsonc", "{ \"name\": \"a\" \"b\" }"),
        ("loose.json", "{ name: 'a' }"),
        ("config.yaml", "name: a"),
    ]);
    for (file, said) in [
        ("wrangler.toml", "`--config FILE` names another (there is `wrangler.jsonc`)"),
        ("nowhere/wrangler.toml", "`--config FILE` names another: "),
        ("broken.toml", "in "),
        ("broken.jsonc", "Expected comma on line 1 column 14"),
        ("loose.json", "in "),
        ("config.yaml", "wrangler reads only configurations that end in .toml, .json or .jsonc"),
    ] {
        let error = load(Some(&root.path().join(file)), None).unwrap_err();
        assert!(format!("{error:#}").contains(said), "{file}: {error:#}");
    }
}

#[test]
fn a_given_id_takes_precedence_and_must_match_the_configuration() {
    let (_root, config) = config("wrangler.toml", TOML, Some("staging"));
    for (given, binding, home, expected) in [
        (Some(ONE), "SLOTS", Home::Cloudflare, Ok(Some(ONE))),
        (Some(TWO), "COMPONENTS", Home::Cloudflare, Ok(Some(TWO))),
        (Some(""), "SLOTS", Home::Cloudflare, Ok(Some(ONE))),
        (Some("any"), "SLOTS", Home::Local, Ok(Some("any"))),
        (Some(TWO), "SLOTS", Home::Cloudflare, Err("correct one of them")),
        (Some("any"), "SLOTS", Home::Cloudflare, Err("`any` is no namespace id")),
    ] {
        let found = given_or_configured(given, Some(&config), binding, home);
        match (found, expected) {
            (Ok(found), expected) => assert_eq!(Ok(found.as_deref()), expected),
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error:#}"),
            (Err(error), Ok(_)) => panic!("{given:?}: {error:#}"),
        }
    }
    let said = given_or_configured(Some(TWO), Some(&config), "SLOTS", Home::Cloudflare);
    let said = said.unwrap_err().to_string();
    for part in [ONE, TWO, "--slots-id", "SLOTCTL_SLOTS_ID", "env.staging.kv_namespaces in /"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(
        given_or_configured(Some(ONE), None, "SLOTS", Home::Cloudflare).unwrap().unwrap(),
        ONE
    );
    assert_eq!(given_or_configured(None, None, "SLOTS", Home::Cloudflare).unwrap(), None);
}

#[test]
fn local_kv_needs_no_configured_binding() {
    let (_root, other) = config("wrangler.jsonc", OTHER_APP, Some("staging"));
    assert_eq!(given_or_configured(None, Some(&other), "SLOTS", Home::Local).unwrap(), None);
    assert!(given_or_configured(None, Some(&other), "SLOTS", Home::Cloudflare).is_err());
}

#[test]
fn missing_and_placeholder_ids_are_to_be_set() {
    for (env, binding, lacks) in [
        (Some("staging"), "SLOTS", false),
        (Some("staging"), "COMPONENTS", true),
        (Some("production"), "SLOTS", true),
        (Some("production"), "COMPONENTS", true),
    ] {
        let (_root, config) = config("wrangler.toml", TOML, env);
        assert_eq!(lacks_id(&config, binding).unwrap(), lacks, "{env:?} {binding}");
    }
    let (_root, config) = config("wrangler.toml", TOML, Some("twice"));
    assert!(lacks_id(&config, "SLOTS").is_err());
}

#[test]
fn variables_and_stored_secrets_are_set() {
    let text = "[vars]\nA = 1\n[env.p.vars]\nB = { x = 1979-05-27 }\n\
                [[env.p.secrets_store_secrets]]\nbinding = \"C\"\n";
    let (_root, top) = config("wrangler.toml", text, None);
    let (_root, own) = config("wrangler.toml", text, Some("p"));
    assert!(top.sets("A") && !top.sets("B") && !own.sets("A") && own.sets("B") && own.sets("C"));
}

#[test]
fn provisioned_title_matches_wrangler() {
    assert_eq!(provisioned_title("component-resolver", "SLOTS"), "component-resolver-slots");
    assert_eq!(provisioned_title("w", "MY_KV"), "w-my-kv");
}

/// The bindings as JSON; `bindings(ONE, TWO)` is the same as TOML.
const SAME: &str = r#"{"kv_namespaces":[{"binding":"SLOTS","id":"0123456789abcdef0123456789abcdef"},{"binding":"COMPONENTS","id":"fedcba9876543210fedcba9876543210"}]}"#;

const REDIRECT: &str = r#"{"configPath":"../../dist/wrangler.json"}"#;

/// Files by name, with `1` for a text with the ids, `2` for one with other ids, `-` for
/// another app's, `>` for a redirect and `{}` for itself; the folder; what is taken or said.
type Row = (
    &'static [(&'static str, &'static str)],
    &'static str,
    Result<Option<&'static str>, &'static str>,
);

const TAKEN: &[Row] = &[
    (&[("wrangler.toml", "1")], ".", Ok(Some("wrangler.toml"))),
    (&[("wrangler.toml", "1")], "deep/er", Ok(Some("wrangler.toml"))),
    (&[("other.toml", "1")], ".", Ok(None)),
    // wrangler.json before wrangler.jsonc before wrangler.toml.
    (&[("wrangler.toml", "1"), ("wrangler.jsonc", "1")], ".", Ok(Some("wrangler.jsonc"))),
    (&[("wrangler.json", "1"), ("wrangler.jsonc", "1")], ".", Ok(Some("wrangler.json"))),
    // The name counts before the folder.
    (&[("wrangler.jsonc", "1"), ("app/wrangler.toml", "1")], "app", Ok(Some("wrangler.jsonc"))),
    // Another app's file is irrelevant to the resolver.
    (&[("wrangler.jsonc", "-"), ("app/wrangler.toml", "1")], "app", Ok(Some("app/wrangler.toml"))),
    (&[("wrangler.jsonc", "-"), ("app/wrangler.toml", "")], "app", Ok(Some("wrangler.jsonc"))),
    // Two configurations that differ.
    (&[("wrangler.toml", "2"), ("wrangler.jsonc", "1")], ".", Err("and differ")),
    (&[("wrangler.jsonc", "1"), ("app/wrangler.toml", "2")], "app", Err("and differ")),
    // Files made by a build tool.
    (
        &[
            ("wrangler.toml", "2"),
            (".wrangler/deploy/config.json", ">"),
            ("dist/wrangler.json", "1"),
        ],
        "src",
        Ok(Some("dist/wrangler.json")),
    ),
    (
        &[("wrangler.toml", "1"), (".wrangler/deploy/config.json", ">")],
        ".",
        Err("does not exist: build the project again"),
    ),
    (
        &[("wrangler.toml", "1"), (".wrangler/deploy/config.json", "{}")],
        ".",
        Err("has no `configPath`"),
    ),
    (
        &[
            ("app/wrangler.toml", "1"),
            (".wrangler/deploy/config.json", ">"),
            ("dist/wrangler.json", "1"),
        ],
        "app",
        Err("are in different folders"),
    ),
];

fn text(name: &str, short: &str) -> String {
    match short {
        "1" if name.ends_with(".toml") => bindings(ONE, TWO),
        "1" => SAME.to_owned(),
        "2" => bindings(TWO, ONE),
        "-" => OTHER_APP.to_owned(),
        ">" => REDIRECT.to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn configuration_is_found_in_the_order_of_wrangler() {
    for (files, from, expected) in TAKEN {
        let texts: Vec<String> = files.iter().map(|(name, short)| text(name, short)).collect();
        let names = files.iter().map(|(name, _)| *name);
        let root = folder(&names.zip(texts.iter().map(String::as_str)).collect::<Vec<_>>());
        let from = root.path().join(from);
        fs::create_dir_all(&from).unwrap();
        match (find_in(&from, None), expected) {
            (Ok(found), Ok(expected)) => {
                let found = found.map(|config| canonical(&config.file));
                let expected = expected.map(|file| canonical(&root.path().join(file)));
                assert_eq!(found, expected, "{files:?}");
            }
            (Err(error), Err(said)) => assert!(format!("{error:#}").contains(said), "{error:#}"),
            (found, expected) => panic!("{files:?}: {found:?}, not {expected:?}"),
        }
    }
}

fn canonical(file: &Path) -> PathBuf {
    file.canonicalize().unwrap()
}

#[test]
fn a_generated_configuration_serves_only_its_environment() {
    let built = format!(
        "{{\"name\":\"resolver-staging\",\"targetEnvironment\":\"staging\",\"kv_namespaces\":[{{\"binding\":\"SLOTS\",\"id\":\"{ONE}\"}}]}}"
    );
    let root = folder(&[
        ("wrangler.toml", TOML),
        (".wrangler/deploy/config.json", r#"{"configPath":"../../dist/wrangler.json"}"#),
        ("dist/wrangler.json", &built),
    ]);
    assert!(candidates(root.path()).unwrap()[0].redirected);
    // The name is complete, and calls of wrangler name no environment.
    let config = find_in(root.path(), Some("staging")).unwrap().unwrap();
    assert_eq!(config.worker_name().unwrap(), "resolver-staging");
    assert_eq!(config.environment(), None);
    let error =
        find_in(root.path(), Some("production")).unwrap().unwrap().worker_name().unwrap_err();
    assert!(format!("{error:#}").contains("built for the environment `staging`"), "{error:#}");
}

#[test]
fn cloudflare_env_in_a_dotenv_file_is_refused() {
    for (file, text, refused) in [
        (".env", "CLOUDFLARE_ENV=staging", true),
        (".env.local", "A=b\n  export CLOUDFLARE_ENV = staging\n", true),
        (".env", "# CLOUDFLARE_ENV=staging\nCLOUDFLARE_ENVIRONMENT=x\n", false),
        (".env.staging", "CLOUDFLARE_ENV=staging", false),
    ] {
        let root = folder(&[(file, text)]);
        assert_eq!(refuse_dotenv(root.path()).is_err(), refused, "{file}: {text}");
    }
}
