//! The words of a name: of a variable, a key, a flag or a property. `AWS_REGION`, `awsRegion`, `aws.region`, `AWS__Region` and
//! `awsregion` have the same words.

/// Words that are often written together, with the length of the first.
const COMPOUNDS: &[(&str, usize)] = &[
    ("apibase", 3),
    ("apihost", 3),
    ("apiurl", 3),
    ("awsregion", 3),
    ("awsdefaultregion", 3),
    ("awsregionname", 3),
    ("baseurl", 4),
    ("basepath", 4),
    ("baseuri", 4),
    ("crossregion", 5),
    ("defaultregion", 7),
    ("endpointurl", 8),
    ("modelid", 5),
    ("modelname", 5),
    ("proxyurl", 5),
    ("regionname", 6),
    ("serverurl", 6),
];

/// No compound is shorter, in bytes.
const SHORTEST_COMPOUND: usize = "apiurl".len();

/// A longer text without separators is one word, in bytes: no name has such a compound, and each of its words costs a search and a call.
const LONGEST_COMPOUND: usize = 256;

/// Words that end a compound with any word before them.
const ENDINGS: &[&str] = &["regionname", "region"];

/// The word of Bedrock, which is separate from the letters on both sides.
const BEDROCK: &str = "bedrock";

/// The words of a name, in order. They are compared regardless of case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameWords<'t>(Vec<&'t str>);

impl<'t> NameWords<'t> {
    /// Splits a name by separators and by changes of case.
    pub fn of(name: &'t str) -> Self {
        Self::of_parts([name])
    }

    /// Splits a name that consists of several parts, such as the keys of nested mappings.
    pub fn of_parts(parts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut words = Self::default();
        words.read_parts(parts);
        words
    }

    /// Replaces the words by those of another name, without an allocation for each name.
    pub fn read_parts(&mut self, parts: impl IntoIterator<Item = &'t str>) {
        self.0.clear();
        for part in parts {
            for run in part.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()) {
                self.push_run(run);
            }
        }
    }

    /// Adds the words of a text without separators.
    fn push_run(&mut self, run: &'t str) {
        let bytes = run.as_bytes();
        let mut start = 0;
        for at in 1..bytes.len() {
            let upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
            let lower = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_lowercase);
            let begins = upper(at) && (!upper(at - 1) || (lower(at + 1) && !is_plural(bytes, at)));
            if begins && run.is_char_boundary(at) {
                self.push(&run[start..at]);
                start = at;
            }
        }
        self.push(&run[start..]);
    }

    /// Adds a word, or the words of a compound.
    fn push(&mut self, word: &'t str) {
        if !(SHORTEST_COMPOUND..=LONGEST_COMPOUND).contains(&word.len()) {
            self.0.extend(Some(word).filter(|word| !word.is_empty()));
            return;
        }
        let compound = COMPOUNDS
            .iter()
            .find(|(compound, _)| word.eq_ignore_ascii_case(compound));
        match compound {
            Some((_, first)) => {
                self.0.push(&word[..*first]);
                self.push(&word[*first..]);
            }
            None => match split_point(word) {
                Some(at) => {
                    self.push(&word[..at]);
                    self.push(&word[at..]);
                }
                None => self.0.push(word),
            },
        }
    }

    /// The words, as written.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'t str> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    /// Whether the name has this word, in lower case.
    pub fn has(&self, word: &str) -> bool {
        self.iter().any(|one| one.eq_ignore_ascii_case(word))
    }

    /// Whether the name has one of these words.
    pub fn has_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// All sequences of as many words.
    pub fn windows(&self, count: usize) -> impl Iterator<Item = &[&'t str]> {
        self.0.windows(count)
    }

    /// Whether the name has these words in sequence.
    pub fn has_sequence(&self, words: &[&str]) -> bool {
        self.windows(words.len()).any(|some| are(some, words))
    }

    /// Whether the name ends with these words.
    pub fn ends_with(&self, words: &[&str]) -> bool {
        let start = self.0.len().checked_sub(words.len());
        start.is_some_and(|start| are(&self.0[start..], words))
    }

    /// The words without these.
    #[must_use]
    pub fn without(&self, words: &[&str]) -> Self {
        let is_one = |word: &str| words.iter().any(|one| one.eq_ignore_ascii_case(word));
        Self(self.iter().filter(|word| !is_one(word)).collect())
    }

    /// Whether the name starts with all words of another one.
    pub fn starts_with(&self, start: &NameWords<'_>) -> bool {
        self.0.len() >= start.0.len() && are(&self.0[..start.0.len()], &start.0)
    }

    /// Whether the name consists of these words.
    pub fn is(&self, words: &[&str]) -> bool {
        are(&self.0, words)
    }
}

/// Words in lower case that are searched for in texts regardless of case, wherever they are: a cheap test for the many names that
/// lack them.
pub struct LetterWords<const N: usize> {
    words: [&'static str; N],
    /// The letters of each word, see [`letters_of`].
    letters: [u32; N],
}

impl<const N: usize> LetterWords<N> {
    /// The search for these words.
    pub const fn new(words: [&'static str; N]) -> Self {
        let mut letters = [0; N];
        let mut at = 0;
        while at < N {
            letters[at] = letters_of(words[at].as_bytes());
            at += 1;
        }
        Self { words, letters }
    }

    /// Whether a text contains one of the words.
    pub fn are_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        // Most names lack a letter of each word.
        let letters = letters_of(text);
        let mut words = self.words.iter().zip(self.letters);
        words.any(|(word, of_word)| {
            let is_word = |part: &[u8]| part.eq_ignore_ascii_case(word.as_bytes());
            of_word & !letters == 0 && text.windows(word.len()).any(is_word)
        })
    }
}

/// The letters of a text as a set of bits. The lowest five bits of a byte tell letters apart regardless of case.
const fn letters_of(text: &[u8]) -> u32 {
    let (mut letters, mut at) = (0, 0);
    while at < text.len() {
        letters |= 1 << (text[at] & 0x1f);
        at += 1;
    }
    letters
}

fn are(some: &[&str], words: &[&str]) -> bool {
    let mut pairs = some.iter().zip(words);
    some.len() == words.len() && pairs.all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// The start of a word inside a compound.
fn split_point(word: &str) -> Option<usize> {
    let is = |at: usize, part: &str| {
        let bytes = word.as_bytes().get(at..at + part.len());
        bytes.is_some_and(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes()))
    };
    if let Some(at) = (0..word.len()).find(|at| is(*at, BEDROCK)) {
        let inside = [at, at + BEDROCK.len()];
        if let Some(at) = inside.into_iter().find(|at| (1..word.len()).contains(at)) {
            return Some(at);
        }
    }
    let starts = ENDINGS
        .iter()
        .map(|ending| word.len().checked_sub(ending.len()));
    let mut starts = starts
        .zip(ENDINGS)
        .filter(|(at, _)| at.is_some_and(|at| at > 0));
    let (start, _) = starts.find(|(at, ending)| at.is_some_and(|at| is(at, ending)))?;
    start
}

/// Whether the letter at `at` is the last of an acronym in the plural, such as `LLMs`.
fn is_plural(bytes: &[u8], at: usize) -> bool {
    let after = bytes.get(at + 2);
    bytes.get(at + 1) == Some(&b's') && after.is_none_or(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<String> {
        NameWords::of(name).iter().map(str::to_lowercase).collect()
    }

    #[test]
    fn a_name_is_split_by_separators_case_and_compounds() {
        for name in [
            "AWS_DEFAULT_REGION",
            "awsDefaultRegion",
            "AWSDefaultRegion",
            "aws.default-region",
            "AWS__Default__Region",
            "awsdefaultregion",
            "--aws-default-region",
        ] {
            assert_eq!(words(name), ["aws", "default", "region"], "{name}");
        }
        for (name, expected) in [
            ("OPENAI_API_BASE_URL", &["openai", "api", "base", "url"][..]),
            ("OpenAIBaseUrl", &["open", "ai", "base", "url"]),
            ("llmBaseURL", &["llm", "base", "url"]),
            ("LLMs", &["llms"]),
            ("LLMsEndpoint", &["llms", "endpoint"]),
            (
                "spring.ai.bedrock.aws.region",
                &["spring", "ai", "bedrock", "aws", "region"],
            ),
            ("S3_REGION", &["s3", "region"]),
            ("bedrockRegion", &["bedrock", "region"]),
            ("awsbedrockregion", &["aws", "bedrock", "region"]),
            ("AmazonBedrock", &["amazon", "bedrock"]),
            ("bedrockruntime", &["bedrock", "runtime"]),
            ("awsregionname", &["aws", "region", "name"]),
            ("sesregion", &["ses", "region"]),
            ("EC2Region", &["ec2", "region"]),
            ("regions", &["regions"]),
            ("modelId", &["model", "id"]),
            ("modelid", &["model", "id"]),
            ("baseurl", &["base", "url"]),
            ("x", &["x"]),
            ("", &[]),
            ("__", &[]),
            ("é_Ü", &["é", "ü"]),
            ("aÉB", &["aé", "b"]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn no_compound_is_shorter_than_the_shortest() {
        let compounds = COMPOUNDS.iter().map(|(compound, _)| *compound);
        let with_endings = compounds.chain(ENDINGS.iter().copied()).chain([BEDROCK]);
        assert_eq!(with_endings.map(str::len).min(), Some(SHORTEST_COMPOUND));
    }

    #[test]
    fn words_are_compared_regardless_of_case() {
        let name = NameWords::of("OpenAI_Base_URL");
        assert!(name.has("base") && !name.has("bas"));
        assert!(name.has_sequence(&["open", "ai"]) && !name.has_sequence(&["open", "base"]));
        assert!(name.ends_with(&["base", "url"]) && !name.ends_with(&["base"]));
        assert!(name.is(&["open", "ai", "base", "url"]) && !name.is(&["open", "ai", "base"]));
        assert!(name.has_any(&["x", "url"]) && !name.has_any(&[]));
        assert!(!NameWords::of("url").ends_with(&["base", "url"]));
        assert!(name.starts_with(&NameWords::of("OPEN_AI")));
        assert!(!name.starts_with(&NameWords::of("open_base")));
        assert!(name.without(&["ai", "URL"]).is(&["open", "base"]));
    }

    #[test]
    fn words_are_searched_for_as_a_whole() {
        let words = LetterWords::new(["region", "profile"]);
        for text in ["REGION", "myAwsRegion2", "a_profile", "x-Profiles"] {
            assert!(words.are_in(text), "{text}");
        }
        // The second one has the letters of a word in another order.
        for text in ["", "IGNORE", "regio", "pro_file"] {
            assert!(!words.are_in(text), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_for_a_compound_is_one_word() {
        for word in ["bedrock", "region"] {
            let long = word.repeat(100_000);
            assert_eq!(NameWords::of(&long).iter().count(), 1);
            let name = format!("{long}_REGION");
            assert!(NameWords::of(&name).ends_with(&["region"]));
        }
    }

    #[test]
    fn the_parts_of_a_name_are_joined() {
        let name = NameWords::of_parts(["AWS", "Region"]);
        assert!(name.is(&["aws", "region"]));
    }
}
