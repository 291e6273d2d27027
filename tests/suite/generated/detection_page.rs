//! `docs/detection.md` is generated from the tables in the code, below its first section. `UPDATE=1` writes it.

use std::fmt::Write as _;
use std::fs;

use bedrock_profiles::domain::context_rules::{Condition, NameUse, ValueTest, rules};
use bedrock_profiles::domain::reason::{Group, Reason};
use bedrock_profiles::domain::region::RegionSource;
use bedrock_profiles::domain::region_names::{OF_ONE_MODEL, OTHER_SERVICES, RANKS};
use bedrock_profiles::domain::syntax::{OTHER_ROUTES, WRAPPERS};
use bedrock_profiles::domain::trackers::TRACKERS;
use bedrock_profiles::report::severity::Severity;

const PAGE: &str = "docs/detection.md";

/// The line before the first generated table; the text above it is written by hand.
const START: &str = "<!-- Generated from the code from here on: `UPDATE=1 cargo test --test suite generated`. -->\n";

fn generated() -> String {
    let mut page = String::from(START);
    page.push_str("\n## Routes before an ID\n\nThese routes lead to Bedrock. The geography is inserted after them: ");
    let code = |words: &[&str]| {
        let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        quoted.join(", ")
    };
    writeln!(page, "{}, `bedrock/REGION/`.", code(WRAPPERS)).unwrap();
    page.push_str("\nThese parts of a route lead elsewhere:\n\n| route | reason |\n|---|---|\n");
    for (route, reason) in OTHER_ROUTES {
        writeln!(page, "| `{route}` | `{reason}` |").unwrap();
    }
    page.push_str("| any other `…/` | `OtherCloud` |\n");
    page.push_str("\n## Context rules\n\nNames around an ID can be a reason not to change it. Names are compared by their words: `model_name`, `modelName` and `MODEL_NAME` are equal.\n`…` matches any text. A setting for another purpose than the ID's own, such as `EMBEDDING_URL` beside `CHAT_MODEL`, does not count.\n\n| reason | condition | unless | explanation |\n|---|---|---|---|\n");
    for rule in rules() {
        let when: Vec<_> = rule.when.iter().map(condition).collect();
        let unless: Vec<_> = rule.unless.iter().map(condition).collect();
        writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            rule.reason,
            when.join(", and "),
            unless.join(", or "),
            rule.why
        )
        .unwrap();
    }
    regions(&mut page, code);
    page.push_str("\n## Trackers\n\nA ConfigMap with one of these marks is `Tracked`, as is one that a controller owns. A field manager counts if it owns data\nof the ConfigMap. `configMaps.trackedBy` of a policy adds marks. Helm and kubectl are not in the table: [gitops.md](gitops.md#why-the-configmaps-of-helm-and-kubectl-are-rewritten) has the reasons.\n\n| tracker | mark |\n|---|---|\n");
    for (tracker, mark) in TRACKERS {
        writeln!(page, "| {tracker} | {mark} |").unwrap();
    }
    page.push_str("\n## Reasons\n\nIf several reasons apply, the one of the first group is reported. Each has a page with an example and what to do, which `bedrock-profiles explain REASON` prints.\n\n| group | reason | severity | meaning |\n|---|---|---|---|\n");
    for reason in Reason::ALL {
        writeln!(
            page,
            "| {} | [`{reason}`](reasons/{reason}.md) | {} | {} |",
            group(reason.group()),
            Severity::of(*reason),
            reason.description()
        )
        .unwrap();
    }
    page
}

/// The sources of a region, and the ranks of names.
fn regions(page: &mut String, code: impl Fn(&[&str]) -> String) {
    page.push_str("\n## Regions\n\nEverything in reach of an ID that names a region is compared. The first source that is set is used; the settings of `ContainerEnv`, `Document` and `ConfigMapKey` are one source, in which the rank of the name decides first and the distance second:\n\n");
    for (at, source) in RegionSource::ALL.iter().enumerate() {
        writeln!(page, "{}. `{source}`: {}", at + 1, source.description()).unwrap();
    }
    page.push_str("\nNames are compared by their words, in variables, keys, flags and properties alike: `AWS_REGION`, `awsRegion`, `aws.region`, `--aws-region` and `AWS__Region` are equal. These are the ranks of names:\n\n| rank | names |\n|---|---|\n");
    for (at, rank) in RANKS.iter().enumerate() {
        writeln!(page, "| {} | {} |", at + 1, rank.names).unwrap();
    }
    page.push_str("\nOf one rank, the nearest name is used: the command or the mapping of the ID, then each mapping around it with the branches beside, then the variables of the container or the keys of the ConfigMap. Two different regions at the same distance that give different answers are a `RegionConflict`.\nA name of the last rank gives no region. If its region would change the answer, the ID is unchanged with `RegionConflict`; if no other source is set, with `NoRegion`. The object's annotation takes precedence over such conflicts.\n\nA region counts only where it is the whole value of a name or a flag, or where the value is an endpoint of Bedrock's runtime. The names of availability zones and node selectors say nothing, nor do names with one of these services:\n\n");
    writeln!(page, "{}.\n", code(OTHER_SERVICES)).unwrap();
    for (model, region) in OF_ONE_MODEL {
        writeln!(page, "`{region}` is the region of `{model}` only.").unwrap();
    }
}

fn condition(condition: &Condition) -> String {
    let names = |patterns: &[&str]| {
        let shown: Vec<_> = patterns
            .iter()
            .map(|pattern| format!("`{}`", pattern.replace('*', "…")))
            .collect();
        shown.join(", ")
    };
    match condition {
        Condition::Named(patterns) => format!("the name of the value is {}", names(patterns)),
        Condition::NamedAs(class) => format!("the name of the value is {}", class.description),
        Condition::Unnamed => "the value has no name, as an item of a list".to_owned(),
        Condition::Route(word) => format!("the route before the ID has `{word}`"),
        Condition::Used(NameUse::Prefixed) => {
            "another text puts a prefix before the value (`us.$(NAME)`)".to_owned()
        }
        Condition::Used(NameUse::InArn) => {
            "another text ends an ARN with the value (`foundation-model/$(NAME)`)".to_owned()
        }
        Condition::Mapping(class) => format!("the entry is {}", class.description),
        Condition::Under(patterns) => {
            format!("the name of an enclosing entry is {}", names(patterns))
        }
        Condition::UnderA(class) => {
            format!("the name of an enclosing entry is {}", class.description)
        }
        Condition::Setting(class, value) => {
            format!(
                "beside or around the ID {} {}",
                class.description,
                what(*value)
            )
        }
        Condition::SameStem(class, value) => format!(
            "beside or around the ID {} whose name starts as the ID's own {}",
            class.description,
            what(*value)
        ),
        Condition::OfModel(class, value) => format!(
            "beside or around the ID {} for the same model {}",
            class.description,
            what(*value)
        ),
        Condition::Entry(patterns, value) => {
            format!("in the same entry {} {}", names(patterns), what(*value))
        }
        Condition::Beside(patterns, value) => {
            format!("beside the ID {} {}", names(patterns), what(*value))
        }
        Condition::Enclosing(patterns, value) => {
            format!(
                "beside or around the ID {} {}",
                names(patterns),
                what(*value)
            )
        }
    }
}

fn what(value: ValueTest) -> String {
    match value {
        ValueTest::Anything => "is set".to_owned(),
        ValueTest::Name => "is a name, or cannot be read".to_owned(),
        ValueTest::Yes => "is on, or cannot be read".to_owned(),
        ValueTest::Arn => "is an ARN".to_owned(),
        ValueTest::OtherHost => {
            "is an address that is not Bedrock's runtime, or cannot be read".to_owned()
        }
        ValueTest::PrivateHost => {
            "is an address of neither Bedrock nor a vendor's public API, or cannot be read"
                .to_owned()
        }
        ValueTest::PublicApi => "is the address of a vendor's public API".to_owned(),
        ValueTest::GatewayHost => {
            "is an address whose host is named like a gateway (`litellm`, `ai-gateway`, …)"
                .to_owned()
        }
        ValueTest::Mantle => "is an address of bedrock-mantle, or its name".to_owned(),
        ValueTest::MantleWord => "is `mantle`".to_owned(),
        ValueTest::Geography => "is a geography such as `us.`, or cannot be read".to_owned(),
        ValueTest::OneOf(words) => {
            let shown: Vec<_> = words
                .iter()
                .map(|word| format!("`{}`", word.replace('*', "…")))
                .collect();
            format!("is {}", shown.join(", "))
        }
    }
}

fn group(group: Group) -> &'static str {
    match group {
        Group::Shape => "syntax and context",
        Group::Object => "object",
        Group::Policy => "policy",
        Group::Model => "model",
        Group::Region => "region",
        Group::Reference => "reference",
        Group::Rows => "rows",
    }
}

#[test]
fn the_page_is_generated_from_the_tables() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (by_hand, _) = page
        .split_once(START)
        .expect("the line before what is generated");
    let expected = format!("{by_hand}{}", generated());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &expected).unwrap();
        return;
    }
    assert_eq!(
        page, expected,
        "{PAGE} differs from the tables in the code; UPDATE=1 writes it"
    );
}
