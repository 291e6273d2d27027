//! The command `iam`: who calls what, and the formats.

use std::process::{Command, Output};

use serde_json::{Value, json};

const CHAT: &str = "docs/samples/iam-chat.yaml";

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let command = command.arg("iam").args(args);
    command.args(["--today", "2026-11-23"]).output().unwrap()
}

fn printed(args: &[&str]) -> String {
    let done = run(args);
    assert_eq!(
        done.status.code(),
        Some(0),
        "{args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// A file with a Pod of the ServiceAccount `a` for each region and ID.
fn pods(ids: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let pods = ids.iter().enumerate().map(|(at, (region, id))| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{at}")}, "spec": {
            "serviceAccountName": "a",
            "containers": [{"name": "c", "env": [
                {"name": "AWS_REGION", "value": region}, {"name": "BEDROCK_MODEL_ID", "value": id}]}]}})
    });
    let pods: Vec<_> = pods.map(|pod| pod.to_string()).collect();
    std::fs::write(file.path(), pods.join("\n---\n")).unwrap();
    file
}

fn json_of(file: &tempfile::NamedTempFile, args: &[&str]) -> Value {
    let args = [&[file.path().to_str().unwrap(), "-o", "json"], args].concat();
    serde_json::from_str(&printed(&args)).unwrap()
}

#[test]
fn a_policy_is_the_same_in_every_format() {
    let policy: Value = serde_json::from_str(&printed(&[CHAT, "-o", "policy"])).unwrap();
    let all: Value = serde_json::from_str(&printed(&[CHAT, "-o", "json"])).unwrap();
    let principals = all["principals"].as_array().unwrap();
    assert_eq!(
        principals[0]["principal"],
        json!({"kind": "serviceAccount", "namespace": "ml", "name": "chat"})
    );
    assert_eq!(principals[0]["role"], "arn:aws:iam::123456789012:role/chat");
    assert_eq!(principals[0]["policy"], policy);
    assert_eq!(principals[1]["principal"]["name"], "default");
    assert_eq!(principals[1]["refused"].as_array().unwrap().len(), 1);

    let template: Value = serde_yaml::from_str(&printed(&[CHAT, "-o", "cloudformation"])).unwrap();
    let resource = &template["Resources"]["BedrockMlChat"];
    assert_eq!(resource["Type"], "AWS::IAM::ManagedPolicy");
    assert_eq!(resource["Properties"]["PolicyDocument"], policy);
    assert_eq!(resource["Properties"]["Roles"], json!(["chat"]));
    assert_eq!(
        template["Resources"].as_object().unwrap().len(),
        1,
        "nothing is known of the other Pod"
    );
}

#[test]
fn terraform_reads_its_policy() {
    let policy: Value = serde_json::from_str(&printed(&[CHAT, "-o", "policy"])).unwrap();
    let body = hcl::parse(&printed(&[CHAT, "-o", "terraform"])).unwrap();
    let blocks: Vec<_> = body.blocks().collect();
    let labels = |at: usize| {
        blocks[at]
            .labels()
            .iter()
            .map(hcl::BlockLabel::as_str)
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(0), ["aws_caller_identity", "current"]);
    assert_eq!(labels(1), ["aws_iam_policy_document", "bedrock_ml_chat"]);
    let read: Value = hcl::from_body(blocks[1].body().clone()).unwrap();
    for (at, statement) in policy["Statement"].as_array().unwrap().iter().enumerate() {
        let of_terraform = &read["statement"][at];
        assert_eq!(of_terraform["sid"], statement["Sid"]);
        assert_eq!(of_terraform["actions"], statement["Action"]);
        assert_eq!(of_terraform["resources"], statement["Resource"]);
    }
    let condition = &read["statement"][1]["condition"];
    assert_eq!(condition["test"], "StringEquals");
    assert_eq!(condition["variable"], "bedrock:InferenceProfileArn");
    assert_eq!(condition["values"], policy["Statement"][0]["Resource"]);
}

#[test]
fn the_account_is_a_variable_where_it_is_unknown() {
    let file = pods(&[("us-east-1", "anthropic.claude-sonnet-4-6")]);
    let path = file.path().to_str().unwrap();
    let text = printed(&[path, "-o", "terraform"]);
    assert!(
        text.contains(
            ":us-east-1:${data.aws_caller_identity.current.account_id}:inference-profile/us."
        ),
        "{text}"
    );
    hcl::parse(&text).unwrap();
    let text = printed(&[path, "-o", "cloudformation"]);
    let template: Value = serde_yaml::from_str(&text).unwrap();
    let statement =
        &template["Resources"]["BedrockDefaultA"]["Properties"]["PolicyDocument"]["Statement"];
    let profile = "arn:aws:bedrock:us-east-1:${AWS::AccountId}:inference-profile/us.anthropic.claude-sonnet-4-6";
    assert_eq!(statement[0]["Resource"], json!([{"Fn::Sub": profile}]));
    assert_eq!(
        statement[1]["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"],
        json!([{"Fn::Sub": profile}])
    );

    let any = json_of(&file, &[]);
    let condition = &any["principals"][0]["policy"]["Statement"][1]["Condition"];
    assert!(
        condition["ArnLike"].is_object(),
        "a wildcard needs an operator that knows it: {any}"
    );
    let own = json_of(&file, &["--account", "210987654321"]);
    let arn = own["principals"][0]["policy"]["Statement"][0]["Resource"][0]
        .as_str()
        .unwrap();
    assert!(
        arn.starts_with("arn:aws:bedrock:us-east-1:210987654321:"),
        "{arn}"
    );
}

#[test]
fn ids_without_permissions_have_their_reasons() {
    let file = pods(&[
        ("us-east-1", "anthropic.claude-mythos-5-1"),
        ("cn-north-1", "anthropic.claude-sonnet-4-6"),
        ("us-east-1", "anthropic.claude-v2"),
        ("", "anthropic.claude-sonnet-4-6"),
        ("eu-west-2", "anthropic.claude-sonnet-4-6"),
        ("eu-west-1", "eu.anthropic.claude-sonnet-4-6"),
        ("eu-west-1", "jp.anthropic.claude-sonnet-4-6"),
    ]);
    let found = json_of(&file, &[]);
    let principal = &found["principals"][0];
    let refused: Vec<_> = principal["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["object"].as_str().unwrap(),
                one["problem"].as_str().unwrap(),
            )
        })
        .collect();
    let objects: Vec<_> = refused.iter().map(|one| one.0).collect();
    assert_eq!(
        objects,
        [
            "default/Pod/p0",
            "default/Pod/p1",
            "default/Pod/p2",
            "default/Pod/p3",
            "default/Pod/p6"
        ],
        "{refused:#?}"
    );
    for (at, expected) in [
        (0, "DestinationsUnknown"),
        (1, "nothing serves Amazon Bedrock in cn-north-1"),
    ] {
        assert!(refused[at].1.contains(expected), "{}", refused[at].1);
    }
    assert!(
        refused[2].1.contains("no permission makes it work"),
        "{}",
        refused[2].1
    );
    assert!(refused[3].1.contains("NoRegion"), "{}", refused[3].1);
    let statements = principal["policy"]["Statement"].as_array().unwrap();
    let direct = statements
        .iter()
        .find(|one| one["Sid"] == "InvokeModels")
        .unwrap();
    assert_eq!(
        direct["Resource"],
        json!(["arn:aws:bedrock:eu-west-2::foundation-model/anthropic.claude-sonnet-4-6"])
    );
    assert_eq!(
        statements[0]["Resource"],
        json!(["arn:aws:bedrock:eu-west-1:*:inference-profile/eu.anthropic.claude-sonnet-4-6"])
    );
}

#[test]
fn every_id_that_may_be_called_is_listed() {
    let file = pods(&[
        ("eu-west-1", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("us-east-1", "cohere.rerank-v3-5:0"),
    ]);
    let found = json_of(&file, &[]);
    let principal = &found["principals"][0];
    assert_eq!(
        principal["policy"]["Statement"][0]["Resource"],
        json!([
            "arn:aws:bedrock:eu-west-1:*:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
        ]),
        "a legacy model works"
    );
    assert_eq!(principal["refused"][0]["object"], "default/Pod/p1");
    let problem = principal["refused"][0]["problem"].as_str().unwrap();
    assert!(problem.starts_with("NotIncluded"), "{problem}");

    let policy = policy(json!({"models": {"include": ["*"]}}));
    let found = json_of(&file, &["--policy", policy.path().to_str().unwrap()]);
    let principal = &found["principals"][0];
    assert_eq!(principal["refused"], json!([]));
    assert_eq!(
        principal["policy"]["Statement"][2]["Resource"],
        json!(["arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"])
    );
}

#[test]
fn an_application_profile_is_one_of_the_model_that_replaces_the_id() {
    let file = pods(&[("us-east-1", "anthropic.claude-sonnet-4-20250514-v1:0")]);
    let profile =
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl";
    let to = "anthropic.claude-sonnet-4-6";
    let policy = policy(json!({
        "replacements": [{"from": "anthropic.claude-sonnet-4-20250514-v1:0", "to": to}],
        "overrides": [{"modelId": to, "sourceRegions": ["us-east-1"], "target": profile,
            "destinations": ["us-east-1"]}],
    }));
    let found = json_of(&file, &["--policy", policy.path().to_str().unwrap()]);
    let statements = &found["principals"][0]["policy"]["Statement"];
    assert_eq!(statements[0]["Resource"], json!([profile]));
    assert_eq!(
        statements[1]["Resource"],
        json!([format!("arn:aws:bedrock:*::foundation-model/{to}")])
    );
}

/// A file with a policy in mode `Rewrite` and these fields.
fn policy(mut fields: Value) -> tempfile::NamedTempFile {
    fields["mode"] = json!("Rewrite");
    let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1",
        "kind": "InferenceProfilePolicy", "metadata": {"name": "p"}, "spec": fields});
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), policy.to_string()).unwrap();
    file
}

#[test]
fn roles_of_two_accounts_are_not_compared_with_one_policy() {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let objects = [("a", 1), ("b", 2)].map(|(name, account)| {
        let role = format!("arn:aws:iam::{account:012}:role/{name}");
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
            "name": name, "annotations": {"eks.amazonaws.com/role-arn": role}}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "serviceAccountName": name,
            "containers": [{"name": "c", "env": [
                {"name": "AWS_REGION", "value": "us-east-1"},
                {"name": "BEDROCK_MODEL_ID", "value": "anthropic.claude-sonnet-4-6"}]}]}});
        format!("{account}\n---\n{pod}\n")
    });
    std::fs::write(file.path(), objects.join("---\n")).unwrap();
    let path = file.path().to_str().unwrap();
    let policy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(policy.path(), "\u{feff}{\"Statement\": []}").unwrap();
    let against = [path, "--against", policy.path().to_str().unwrap()];
    let done = run(&against);
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("--service-account"));

    let done = run(&[&against[..], &["--service-account", "default/b"]].concat());
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains(":000000000002:inference-profile/"), "{text}");
}

#[test]
fn where_every_region_is_denied_no_policy_is_proposed() {
    let policy = tempfile::NamedTempFile::new().unwrap();
    let all = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    std::fs::write(policy.path(), all.to_string()).unwrap();
    let path = policy.path().to_str().unwrap();
    let done = run(&["check", "--scp", path, "--region", "eu-west-1"]);
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("deny every destination"), "{text}");
    assert!(
        !text.contains("allowedDestinations: []"),
        "an empty list permits everything: {text}"
    );
}

#[test]
fn a_policy_is_compared_with_its_own_output() {
    let file = pods(&[
        ("us-east-1", "anthropic.claude-sonnet-4-6"),
        ("eu-west-2", "anthropic.claude-sonnet-4-6"),
    ]);
    let path = file.path().to_str().unwrap();
    let account = ["--account", "123456789012"];
    let policy = tempfile::NamedTempFile::new().unwrap();
    let own = printed(&[&[path, "-o", "policy"][..], &account].concat());
    std::fs::write(policy.path(), &own).unwrap();
    let against = ["--against", policy.path().to_str().unwrap()];
    assert_eq!(printed(&[&[path][..], &account, &against].concat()), "");

    let done = run(&[&[path][..], &against].concat());
    assert_eq!(done.status.code(), Some(2), "the account is unknown");
    assert!(String::from_utf8_lossy(&done.stderr).contains("--account"));

    let mut less: Value = serde_json::from_str(&own).unwrap();
    less["Statement"][1]["Resource"]
        .as_array_mut()
        .unwrap()
        .remove(0);
    std::fs::write(policy.path(), less.to_string()).unwrap();
    let done = run(&[&[path][..], &account, &against].concat());
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.starts_with(
            "missing: bedrock:InvokeModel, bedrock:InvokeModelWithResponseStream\n  arn:aws:bedrock:us-east-1::foundation-model/"
        ),
        "{text}"
    );
}

#[test]
fn wrong_input_is_refused_with_the_next_step() {
    for (args, expected) in [
        (
            vec![CHAT, "--service-account", "ml/none"],
            "expected NAMESPACE/NAME",
        ),
        (vec![CHAT, "--account", "12"], "12 digits"),
        (vec![CHAT, "--against", CHAT], "it is not JSON"),
        (vec!["check", "--scp", "/dev/zero"], "cannot read /dev/zero"),
        (
            vec!["check", "--scp", "docs/samples/none.json"],
            "cannot read docs/samples/none.json",
        ),
    ] {
        let done = run(&args);
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(expected), "{args:?}: {text}");
    }
}

#[test]
fn nothing_is_unneeded_where_not_everything_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let pod = std::fs::read_to_string(pods(&[("us-east-1", "anthropic.claude-sonnet-4-6")]).path())
        .unwrap();
    std::fs::write(folder.path().join("pod.json"), pod).unwrap();
    let role = folder.path().join("role.txt");
    let other = json!({"Statement": [{"Effect": "Allow", "Action": "bedrock:*", "Resource": "arn:aws:bedrock:eu-west-1::foundation-model/x"}]});
    std::fs::write(&role, other.to_string()).unwrap();
    let args = [
        folder.path().to_str().unwrap(),
        "--account",
        "123456789012",
        "--against",
        role.to_str().unwrap(),
    ];
    let whole = run(&args);
    assert!(
        String::from_utf8_lossy(&whole.stdout)
            .contains("not needed\n  arn:aws:bedrock:eu-west-1::")
    );
    std::fs::write(
        folder.path().join("broken.yaml"),
        "a: [anthropic.claude-sonnet-4-6\n",
    )
    .unwrap();
    let part = run(&args);
    let (printed, messages) = (
        String::from_utf8_lossy(&part.stdout),
        String::from_utf8_lossy(&part.stderr),
    );
    assert!(
        !printed.contains("not needed") && printed.contains("missing"),
        "{printed}"
    );
    assert!(
        messages.contains("warning: not everything was read"),
        "{messages}"
    );
}
