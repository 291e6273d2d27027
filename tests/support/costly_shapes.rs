//! Costly reviews that were found by reading the code: one for each search or copy that was made again for each ID, name or item.

use serde_json::{Value, json};

use super::{CostlyReview, ID, file, lines, pod};

/// All of them.
pub(super) fn all() -> Vec<CostlyReview> {
    let mut all = files();
    all.extend(scripts());
    all.extend(arguments());
    all.extend(variables());
    all
}

fn review((name, object, exceeds): (&'static str, Value, bool)) -> CostlyReview {
    CostlyReview {
        name,
        object,
        exceeds,
    }
}

/// ConfigMaps with a file.
fn files() -> Vec<CostlyReview> {
    let named = lines(3000, |_| "- {name: a, region: eu-west-1}".into());
    let naming = lines(3000, |at| format!("  profile-{at}: a"));
    let merges = format!(
        "x: &x {{a: 1}}\ny:\n{}{}  m: {ID}\n",
        "  a: 1\n".repeat(20_000),
        "  <<: *x\n".repeat(20_000)
    );
    let pairs = lines(1500, |_| format!("- MODEL={ID}")) + &"- AB=cd\n".repeat(40_000);
    let uses = lines(40_000, |at| format!("- us.${{a.b{at}}}"));
    let ids = lines(1500, |at| format!("- k{at}: {ID}"));
    let regions = lines(60, |at| {
        format!("  aws_region_{at}: eu-west-{}", 1 + at % 3)
    });
    let misspelled = lines(20_000, |at| format!("REGION_{at}=eu-wxst-{}", at % 9));
    let of_regions = lines(1500, |at| format!("  k{at}: {ID}"));
    let files = [
        (
            "mappings that name mappings",
            "m.yaml",
            format!("profiles:\n{named}m:\n{naming}  m: {ID}\n"),
            false,
        ),
        (
            "paths of documents",
            "application.yaml",
            long_paths(400, 900),
            false,
        ),
        ("keys that merge keys repeat", "m.yaml", merges, false),
        ("pairs in a list", "m.yaml", pairs, false),
        ("uses of names with dots", "m.yaml", uses + &ids, false),
        (
            "settings of one region",
            "m.yaml",
            format!("m:\n{regions}{of_regions}"),
            false,
        ),
        (
            "settings of misspelled regions",
            ".env",
            format!("{misspelled}m={ID}\n"),
            false,
        ),
        ("branches with texts", "m.yaml", branches(25, 60_000), true),
    ];
    files
        .into_iter()
        .map(|(name, key, text, exceeds)| review((name, file(key, &text), exceeds)))
        .collect()
}

/// Documents of Spring with a text under each of many long keys.
fn long_paths(depth: usize, length: usize) -> String {
    let key = "k".repeat(length);
    let open = format!("{{t: x, {key}: ").repeat(depth);
    format!("m: {ID}\n---\n{open}y{}\n", "}".repeat(depth))
}

/// Branches with a region beside the branch with the ID, and many texts behind it.
fn branches(depth: usize, texts: usize) -> String {
    let levels = (0..depth).map(|at| {
        let indent = "  ".repeat(at);
        format!("{indent}a:\n{indent}  r: {{region: eu-west-1}}\n")
    });
    let indent = "  ".repeat(depth);
    let texts = lines(texts, |at| format!("{indent}t{at}: x"));
    format!("{}{texts}{indent}m: {ID}\n", levels.collect::<String>())
}

/// Pods with a script.
fn scripts() -> Vec<CostlyReview> {
    let run = format!("run --model {ID}\n");
    let long = lines(250, |at| format!("export V{at}={}", "v".repeat(1000)));
    let documents = "cat <<E | ".repeat(8000) + "cat\n" + &format!("{ID}\nE\n").repeat(8000);
    let scripts = [
        (
            "assignments before calls",
            lines(20_000, |at| format!("X=1 f{at}")) + &run,
            false,
        ),
        ("settings of long values", long + &run.repeat(1000), true),
        ("a pipeline of here-documents", documents, true),
        (
            "a word of many IDs",
            format!("run {}\n", format!("/{ID}").repeat(4000)),
            true,
        ),
        (
            "commands of one letter",
            "a;".repeat(300_000) + "\n" + &run,
            true,
        ),
    ];
    scripts
        .into_iter()
        .map(|(name, text, exceeds)| review((name, pod(&["sh", "-c"], &json!([text])), exceeds)))
        .collect()
}

/// Pods with many arguments.
fn arguments() -> Vec<CostlyReview> {
    let many = |count: usize, word: &str, ids: usize| -> Vec<String> {
        let words = std::iter::repeat_n(word.to_owned(), count);
        words
            .chain(std::iter::repeat_n(ID.to_owned(), ids))
            .collect()
    };
    let settings = (0..512).map(|at| format!("k{at}={} ", "v".repeat(150)));
    let settings = settings.collect::<String>() + &format!("{ID} ").repeat(640);
    let mut program = vec!["env".to_owned()];
    program.extend(many(100_000, "A=b", 1500));
    let objects = [
        ("an argument of settings and IDs", json!([settings]), true),
        ("many empty arguments", json!(many(500_000, "", 1)), true),
        (
            "many flags and arguments",
            json!(many(60_000, "--a=b", 1500)),
            true,
        ),
        ("assignments before a program", json!(program), true),
    ];
    objects
        .into_iter()
        .map(|(name, arguments, exceeds)| review((name, pod(&[], &arguments), exceeds)))
        .collect()
}

/// Pods with many variables, or with a long one.
fn variables() -> Vec<CostlyReview> {
    let of_texts = |texts: Vec<(String, String)>| {
        let env = texts
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}));
        let mut object = pod(&[], &json!([]));
        object["spec"]["containers"][0]["env"] = env.collect();
        object
    };
    let model = |text: String| [("MODEL".to_owned(), text)];
    let expanded = (0..8000).map(|at| (format!("REGION{at}"), "$(X)".repeat(8)));
    let same = (0..8000).map(|_| ("X".to_owned(), "eu".to_owned()));
    let default = format!("${{A:-{}{ID}}}", format!("{ID},").repeat(1200));
    let nested = format!("{}{ID}{}", "${A:-".repeat(50_000), "}".repeat(50_000));
    let host = "https://bedrock-runtime.$(R).amazonaws.com/model/";
    let hosts = format!("{host}{ID}/converse ").repeat(1500);
    let others = (0..20_000).map(|at| (format!("V{at}"), String::new()));
    let objects = [
        (
            "variables of one name",
            expanded.chain(same).chain(model(ID.to_owned())).collect(),
            false,
        ),
        ("a default of many IDs", model(default).into(), true),
        ("defaults in defaults", model(nested).into(), false),
        (
            "endpoints and many variables",
            others.chain(model(hosts)).collect(),
            true,
        ),
    ];
    objects
        .into_iter()
        .map(|(name, texts, exceeds)| review((name, of_texts(texts), exceeds)))
        .collect()
}
