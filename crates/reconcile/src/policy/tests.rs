use catalog::slot::Slot;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let errors = crate::policy::parse(text).err().unwrap_or_default();
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{line}\nhas not\n{expected}");
    }
}

#[test]
fn parse_reads_the_example_of_the_design() {
    let policy = crate::policy::parse(
        r#"
["prompts/extraction".production]
split = { canary = 10, canary-5 = 0.125 }                # a comment
segments = { internal = "ring-0", beta = "ring-1" }
["prompts/extraction".live]
alias = "green"
["prompts/extraction".experiment]
split = { control = 50, treatment = 50 }
["prompts/extraction"]
revoked = { "v1.0.3" = "leaks the system prompt" }
"#,
    )
    .unwrap();
    let component = &policy.components[&"prompts/extraction".parse().unwrap()];
    let slot = |name: &str| &component.slots[&name.parse::<Slot>().unwrap()];
    let split = |name: &str| -> Vec<(String, u32)> {
        slot(name).split.iter().map(|(slot, weight)| (slot.to_string(), *weight)).collect()
    };
    assert_eq!(split("production"), [("canary".into(), 10_000), ("canary-5".into(), 125)]);
    assert_eq!(split("live"), [("green".into(), 100_000)]);
    assert_eq!(split("experiment"), [("control".into(), 50_000), ("treatment".into(), 50_000)]);
    assert_eq!(slot("production").segments["beta"].as_str(), "ring-1");
    assert_eq!((slot("production").line, slot("live").line), (2, 5));
    assert_eq!(component.revoked[&"v1.0.3".parse().unwrap()], "leaks the system prompt");
}

#[test]
fn parse_reports_every_mistake_with_its_line_and_help() {
    check("a = [", &["rollouts.toml:1:"]);
    check(
        "[prompts.production]\nsplit = {}",
        &["rollouts.toml:1: \"prompts\" is not a component name"],
    );
    check("\n[\"a/b\".v1]\nalias = \"x-1\"", &["rollouts.toml:2: \"v1\" is not a slot"]);
    check("[\"a/b\".live]\nalias = \"live\"", &["rollouts.toml:2: live leads back to itself"]);
    check("[\"a/b\".live]\nalias = \"v1.0.0\"", &["rollouts.toml:2: \"v1.0.0\" is not a slot"]);
    check("[\"a/b\".live]\nalias = 3", &["rollouts.toml:2: alias is integer"]);
    check("[\"a/b\".live]\nsplit = 3", &["rollouts.toml:2: split is integer, not a table"]);
    check("[\"a/b\".live]\nsplti = { c = 1 }", &["rollouts.toml:2: live has no member \"splti\""]);
    check(
        "[\"a/b\".p]\nalias = \"c\"\nsplit = { d = 1 }",
        &["rollouts.toml:1: p has an alias and a split"],
    );
    check(
        "[\"a/b\".p]\nsplit = { c = 60, d = 40.001 }",
        &["rollouts.toml:2: the shares of p add up to 100.001 %"],
    );
    for share in ["-1", "101", "0.0001", "\"10\"", "nan", "inf", "9223372036854775807"] {
        check(
            &format!("[\"a/b\".p]\nsplit = {{ c = {share} }}"),
            &["rollouts.toml:2: the share of c is not a percentage"],
        );
    }
    check(
        "[\"a/b\".p]\nsegments = { \"a,b\" = \"c\" }",
        &["rollouts.toml:2: \"a,b\" is not a segment"],
    );
    check("[\"a/b\"]\nrevoked = { v9 = \"x\" }", &["rollouts.toml:2: \"v9\" is not a version"]);
    check(
        "[\"a/b\"]\nrevoked = { \"v1.0.0\" = 1 }",
        &["rollouts.toml:2: the reason of v1.0.0 is not a string"],
    );
    check(
        "[\"a/b\".p]\nsplit = { p = 1 }\n[\"a/b\".q]\nalias = \"q\"",
        &["rollouts.toml:2: p leads", "rollouts.toml:4: q leads"],
    );
}

#[test]
fn splits_and_segments_are_bounded() {
    let many = |number: usize, value: &str| {
        let entries = (0..number).map(|at| format!("s{at} = {value}"));
        entries.collect::<Vec<_>>().join(", ")
    };
    let split = |number| format!("[\"a/b\".p]\n\nsplit = {{ {} }}", many(number, "1"));
    check(&split(20), &[]);
    check(&split(21), &["rollouts.toml:3: there are 21 slots in the split of p. Keep at most 20"]);
    let segments = |number| format!("[\"a/b\".p]\nsegments = {{ {} }}", many(number, "\"c\""));
    check(&segments(100), &[]);
    check(&segments(101), &["rollouts.toml:2: there are 101 segments of p. Keep at most 100"]);
}
