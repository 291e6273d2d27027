//! The documents of files: which value of a key counts, and which files are not edited.

use bedrock_profiles::scan::{FileFormat, ParsedFile, Scan};

use super::*;

/// The answer on each line of a file that has a finding: the target or the reason.
pub(super) fn answers(name: &str, text: &str) -> Vec<String> {
    let world = Scenario::under("{}");
    let scan = Scan {
        exemptions: &[],
        view: &world.view,
        today: TODAY,
        namespace: "default",
        edit: None,
        selector: None,
    };
    let format = match name.rsplit_once('.') {
        Some((_, "yaml" | "yml")) => FileFormat::Yaml,
        Some((_, "json")) => FileFormat::Json,
        _ => FileFormat::Other,
    };
    let answer = |record: &FindingRecord| {
        let line = record.source.as_ref().unwrap().line;
        let answer = record.after.as_deref();
        let answer = answer.or(record.reason.map(Reason::as_str)).unwrap();
        format!("{line} {answer}")
    };
    let file = ParsedFile::parse(name, text, format);
    scan.file(&file).findings.iter().map(answer).collect()
}

const EU: &str = "eu.anthropic.claude-sonnet-4-6";
const US: &str = "us.anthropic.claude-sonnet-4-6";

/// A Pod whose region has the entry `region` of `env`, with `shared` in reach.
fn pod(shared: &str, region: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {shared}\nspec:\n  containers:\n  - name: c\n    env:\n    - {region}\n    - {{name: MODEL_ID, value: {SONNET_4_6}}}\n"
    )
}

#[test]
fn a_merge_key_in_a_manifest_overrides_the_keys_before_it() {
    let shared = "{x: &shared {value: us-east-1}}";
    let cases = [
        ("{name: AWS_REGION, value: eu-west-1, <<: *shared}", US),
        ("{name: AWS_REGION, <<: *shared, value: eu-west-1}", EU),
        ("{<<: *shared, name: AWS_REGION}", US),
        ("{name: AWS_REGION, value: eu-west-1, value: us-east-1}", US),
    ];
    for (region, answer) in cases {
        let expected = [format!("11 {answer}")];
        assert_eq!(
            answers("pod.yaml", &pod(shared, region)),
            expected,
            "{region}"
        );
    }
    let list = "{x: &one {value: us-east-1}, y: &two {value: eu-west-1}}";
    let region = "{name: AWS_REGION, value: ap-south-1, <<: [*one, *two]}";
    assert_eq!(
        answers("pod.yaml", &pod(list, region)),
        [format!("11 {US}")]
    );
}

#[test]
fn a_merge_key_behind_a_region_is_a_conflict_where_the_reader_of_the_file_is_unknown() {
    let behind = format!(
        "base: &base {{aws_region: us-east-1}}\nchat:\n  aws_region: eu-west-1\n  <<: *base\n  model: {SONNET_4_6}\n"
    );
    let before = behind.replace(
        "  aws_region: eu-west-1\n  <<: *base\n",
        "  <<: *base\n  aws_region: eu-west-1\n",
    );
    let same = behind.replace("us-east-1", "eu-west-1");
    assert_eq!(answers("values-prod.yaml", &behind), [format!("5 {US}")]);
    assert_eq!(answers("app.yaml", &behind), ["5 RegionConflict"]);
    for unambiguous in [&before, &same] {
        assert_eq!(answers("app.yaml", unambiguous), [format!("5 {EU}")]);
    }
    let map = |text: &str| {
        let data = serde_json::json!({ "app.yaml": text });
        config_map("m", &data).to_string()
    };
    assert_eq!(answers("map.json", &map(&behind)), ["1 RegionConflict"]);
    assert_eq!(answers("map.json", &map(&before)), [format!("1 {EU}")]);
}

#[test]
fn a_merge_key_behind_a_variable_is_a_conflict_where_the_reader_of_the_file_is_unknown() {
    let text = format!(
        "shared: &shared {{value: us-east-1}}\nchat:\n  env:\n  - {{name: AWS_REGION, value: eu-west-1, <<: *shared}}\n  - {{name: MODEL_ID, value: {SONNET_4_6}}}\n"
    );
    assert_eq!(answers("app.yaml", &text), ["5 RegionConflict"]);
    assert_eq!(answers("values.yaml", &text), [format!("5 {US}")]);
}

#[test]
fn the_first_overridden_key_of_a_file_is_reported_with_its_line() {
    let text = "a: 1\n---\nb: {c: 1, d: 2, c: 3}\nx: &x {d: 4}\ny: {d: 5, <<: *x}\n";
    let file = ParsedFile::parse("values.yaml", text, FileFormat::Yaml);
    let key = file.overridden_key().unwrap();
    assert_eq!((key.line, key.column), (3, 5));
    assert_eq!((key.by_merge, key.others), (false, 1));
    let file = ParsedFile::parse("values.yaml", "a: {b: 1}\n", FileFormat::Yaml);
    assert_eq!(file.overridden_key(), None);
}

/// A Deployment-like manifest of one Pod in `eu-west-1`.
fn pod_in_ireland() -> String {
    pod("{}", "{name: AWS_REGION, value: eu-west-1}")
}

#[test]
fn a_file_that_a_tool_writes_is_not_edited() {
    let manifest = pod_in_ireland();
    let sops = "sops:\n  mac: ENC[AES256_GCM,data:Zm9v,type:str]\n";
    let generated = format!("# Rendered by CI. DO NOT EDIT.\n{manifest}");
    assert_eq!(answers("pod.yaml", &manifest), [format!("11 {EU}")]);
    assert_eq!(
        answers("pod.yaml", &format!("{manifest}{sops}")),
        ["11 WrittenByTool"]
    );
    assert_eq!(answers("pod.yaml", &generated), ["12 WrittenByTool"]);
    let lock = format!("region: eu-west-1\nbedrock_model: {SONNET_4_6}\n");
    assert_eq!(answers("models.lock.yaml", &lock), ["2 WrittenByTool"]);
}

#[test]
fn a_secret_is_reported_as_one_and_the_description_of_a_definition_is_not() {
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  AWS_REGION: eu-west-1\n  MODEL_ID: {SONNET_4_6}\n"
    );
    assert_eq!(answers("secret.yaml", &secret), ["6 Secret"]);
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: x}}\nspec:\n  description: such as {SONNET_4_6}\n  default: {SONNET_4_6}\n"
    );
    assert_eq!(answers("crd.yaml", &definition), ["6 CustomResource"]);
}

#[test]
fn an_object_whose_version_a_template_fills_in_is_known_by_its_kind() {
    let manifest =
        pod_in_ireland().replace("apiVersion: v1", "apiVersion: {{ include \"a.b\" . }}");
    assert_eq!(answers("pod.yaml", &manifest), [format!("11 {EU}")]);
    let custom = manifest.replace("kind: Pod", "kind: Chat");
    assert_eq!(answers("pod.yaml", &custom), ["11 CustomResource"]);
}

#[test]
fn delimiters_of_templates_in_two_values_hide_nothing_between_them() {
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  LEFT: \"{{{{\"\n  AWS_REGION: eu-west-1\n  MODEL_ID: {SONNET_4_6}\n  RIGHT: \"}}}}\"\n"
    );
    assert_eq!(answers("map.yaml", &map), [format!("7 {EU}")]);
}

#[test]
fn a_later_document_of_a_spring_file_overrides_the_region_of_an_earlier_one() {
    let id = SONNET_4_6;
    let prod = "---\nspring.config.activate.on-profile: prod\n";
    let both = |region: &str, model: &str| {
        format!("bedrock.region: eu-west-1\nbedrock.model: {id}\n{prod}{region}{model}")
    };
    let region = "bedrock:\n  region: us-east-1\n";
    let model = format!("  model: {id}\n");
    let cases = [
        // The model of the first document is called under the profile as well.
        (both(region, ""), vec!["2 RegionConflict".to_owned()]),
        (
            both(region, &model),
            vec![format!("2 {EU}"), format!("7 {US}")],
        ),
        (
            both("bedrock:\n  region: eu-central-1\n", ""),
            vec![format!("2 {EU}")],
        ),
        // Of two profiles, each has a region and an ID of its own.
        (
            both(region, &model)
                + "---\nspring.config.activate.on-profile: test\nbedrock.region: eu-central-1\nbedrock.model: "
                + id
                + "\n",
            vec![format!("2 {EU}"), format!("7 {US}"), format!("11 {EU}")],
        ),
        // The region of the first document counts in the second one.
        (
            format!("bedrock.region: eu-west-1\n{prod}bedrock.model: {id}\n"),
            vec![format!("4 {EU}")],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(answers("application.yaml", &text), expected, "{text}");
        let data = serde_json::json!({ "application.yaml": text });
        let embedded: Vec<_> = expected
            .iter()
            .map(|answer| format!("1 {}", answer.split_once(' ').unwrap().1))
            .collect();
        assert_eq!(
            answers("map.json", &config_map("m", &data).to_string()),
            embedded,
            "{text}"
        );
    }
}

#[test]
fn the_region_of_another_document_is_none_without_profiles() {
    let id = SONNET_4_6;
    let text = format!("bedrock: {{region: eu-west-1}}\n---\nbedrock: {{model: {id}}}\n");
    assert_eq!(answers("app.yaml", &text), ["3 NoRegion"]);
    // Objects of Kubernetes are independent of each other.
    let objects = format!(
        "{}---\n{}",
        pod_in_ireland(),
        pod("{}", "{name: AWS_REGION, value: us-east-1}")
    );
    assert_eq!(
        answers("pods.yaml", &objects),
        [format!("11 {EU}"), format!("23 {US}")]
    );
}
