//! Reviews that are made of few pieces, many times: from a seed, or from an input of a fuzzer.

use serde_json::{Value, json};

use super::{ID, body, file, lines, pod};

/// Pieces of which texts are made that may cost much.
const PIECES: &[&str] = &[
    "m: anthropic.claude-sonnet-4-6\n",
    "anthropic.claude-sonnet-4-6",
    "ai21.a-1 ",
    "- anthropic.claude-sonnet-4-6\n",
    "  ",
    "\n",
    "---\n",
    "k: ",
    "&a ",
    "*a",
    "x: &a\n",
    "y: *a\n",
    "<<: *a\n",
    "{",
    "}",
    "[",
    "]",
    "\"k\": ",
    "\"",
    "'",
    ",",
    "{{ x }}",
    "{% if %}\n",
    "region: eu-west-1\n",
    "AWS_REGION=eu-west-1 ",
    "export AWS_REGION=us-east-1\n",
    "REGION",
    "$(X)",
    "${X:-anthropic.claude-sonnet-4-6}",
    "us.",
    "arn:aws:bedrock:us-east-1::foundation-model/",
    "run --model anthropic.claude-sonnet-4-6 --region eu-west-1\n",
    "cat <<E\n",
    "E\n",
    "\\\n",
    "| ",
    "$(",
    ")",
    "`",
    "#",
    "=",
    ".",
    "a.b.c=",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/",
    "spring.config.activate.on-profile: a\n",
    "spring.ai.bedrock.aws.region: eu-west-1\n",
];

/// Names of files, by which a text has a format.
const FILES: &[&str] = &[
    "m.yaml",
    "m.json",
    "m.toml",
    "m.properties",
    "m.env",
    "m.sh",
    "m",
    "MODEL_ID",
];

/// The maximum length of a text, in bytes.
const LONGEST_TEXT: usize = 600_000;

/// A review that is made of few pieces, many times; the same for the same seed.
pub(crate) fn generated_review(seed: u64) -> (String, Vec<u8>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut text = String::new();
    // Up to three parts, each a few pieces again and again.
    for _ in 0..random.usize(1..=3) {
        let pieces: String = (0..random.usize(1..=5))
            .map(|_| PIECES[random.usize(..PIECES.len())])
            .collect();
        let most = (300_000 / pieces.len()).max(2);
        text.push_str(&pieces.repeat(random.usize(1..most)));
    }
    let start: String = text.chars().take(200).collect();
    let shape = random.usize(..8);
    let name = FILES[random.usize(..FILES.len())];
    (start, body(&object(shape, name, text)))
}

/// The review of an input, `SHAPE~Npiece~Npiece…`: the shape is a letter, whose number by eight is that of the file, and each piece is
/// repeated two to the power of its letter `N`. So a short input makes a long text.
#[allow(dead_code, reason = "the benchmark has no inputs")]
pub(crate) fn review_of_input(input: &str) -> Vec<u8> {
    let mut parts = input.split('~');
    let shape = parts.next().and_then(|part| part.bytes().next());
    let shape = usize::from(shape.unwrap_or_default());
    let mut text = String::new();
    for part in parts {
        let Some(letter) = part.chars().next() else {
            continue;
        };
        let piece = &part[letter.len_utf8()..];
        let times = 1 << ((part.as_bytes()[0] & 0x1f) % 19);
        let fitting = (LONGEST_TEXT - text.len().min(LONGEST_TEXT)) / piece.len().max(1);
        text.push_str(&piece.repeat(times.min(fitting)));
    }
    body(&object(shape % 8, FILES[shape / 8 % FILES.len()], text))
}

/// The object of a shape with a text, and with an ID behind it.
fn object(shape: usize, name: &str, mut text: String) -> Value {
    text.truncate(text.floor_char_boundary(LONGEST_TEXT));
    text.push_str("\nm: anthropic.claude-sonnet-4-6\n");
    match shape {
        0 => pod(&["sh", "-c"], &json!([text])),
        1 => pod(&[], &json!([text])),
        2 => {
            let mut object = pod(&[], &json!([ID]));
            let value = &text[..text.floor_char_boundary(2000)];
            let env: Vec<_> = (0..200)
                .map(|at| json!({"name": format!("V{at}_MODEL"), "value": value}))
                .collect();
            object["spec"]["containers"][0]["env"] = env.into();
            object
        }
        3 => {
            let mut object = pod(&[], &json!([ID]));
            object["metadata"]["annotations"] = json!({"bedrock-profiles.dev/rewrites": text, "bedrock-profiles.dev/ignore-env": text});
            object
        }
        4 => {
            let words: Vec<_> = text.split([' ', '\n']).take(100_000).collect();
            pod(&[], &json!(words))
        }
        5 => {
            let mut object = pod(
                &["sh", "-c"],
                &json!([lines(200, |at| format!("run --model ${{V{at}}}"))]),
            );
            let env: Vec<_> = text
                .split('\n')
                .take(50_000)
                .map(|line| line.split_once(['=', ':']).unwrap_or(("X_MODEL", line)))
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect();
            object["spec"]["containers"][0]["env"] = env.into();
            object
        }
        _ => file(name, &text),
    }
}
