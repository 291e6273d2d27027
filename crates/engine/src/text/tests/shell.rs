//! Scripts as simple commands: a table of constructs, totality and linear size. `tests/suite/shell` compares with real shells.

use proptest::prelude::*;

use crate::text::shell::{CommandKind, DollarSpelling, PartKind, ShellScript, SimpleCommand, read};

/// The commands of a script: words in brackets, `$X` for parameters, `$()` for substitutions, `?` for the rest.
fn commands(text: &str) -> Vec<String> {
    let script = read(text, DollarSpelling::Plain);
    assert_eq!(script.unread, None, "{text}");
    script
        .commands
        .iter()
        .map(|one| render(&script, one))
        .collect()
}

fn render(script: &ShellScript<'_>, command: &SimpleCommand) -> String {
    let name = |span: &std::ops::Range<usize>| &script.source[span.clone()];
    let assignments = command.assignments.iter().map(|one| {
        let items: Vec<_> = one.items.iter().map(|item| word(script, *item)).collect();
        let value = word(script, one.value);
        let items = if items.is_empty() {
            String::new()
        } else {
            format!("({})", items.join(" "))
        };
        format!("{}={value}{items}", name(&one.name))
    });
    let words = script
        .words_of(command)
        .iter()
        .map(|one| word(script, *one));
    let redirections = command.redirections.iter().map(|one| {
        let body = one.here_document.as_ref().map(|one| name(&one.body));
        let operator = name(&one.operator);
        format!(
            "{operator}{}{}",
            word(script, one.target),
            body.unwrap_or_default()
        )
    });
    let kind = match command.kind {
        CommandKind::Simple => "",
        CommandKind::Test => "test: ",
        CommandKind::Subject => "subject: ",
        CommandKind::Pattern => "pattern: ",
        CommandKind::Items => "items: ",
    };
    let all: Vec<_> = assignments.chain(words).chain(redirections).collect();
    format!("{kind}{}", all.join(" "))
}

fn word(script: &ShellScript<'_>, index: usize) -> String {
    let parts = script.parts(index).iter().map(|part| match &part.kind {
        PartKind::Text => script.source[part.span.clone()].to_owned(),
        PartKind::Parameter(parameter) => {
            let name = &script.source[parameter.name.clone()];
            match parameter.alternative {
                Some((_, default)) => format!("${name}:{}", word(script, default)),
                None => format!("${name}"),
            }
        }
        PartKind::Substitution => "$()".to_owned(),
        PartKind::Unknown => "?".to_owned(),
    });
    format!("[{}]", parts.collect::<String>())
}

#[test]
fn words_are_read_as_a_shell_reads_them() {
    for (text, expected) in [
        ("app --model ID", "[app] [--model] [ID]"),
        ("a 'b c' \"d e\"f\\ g", "[a] [b c] [d ef g]"),
        (r#"a "\$x \a \"" '\'"#, r#"[a] [$x \a "] [\]"#),
        ("a\\\n b\\\nc", "[a] [bc]"),
        ("a # b", "[a]"),
        ("a b#c", "[a] [b#c]"),
        ("a '' \"\"", "[a] [] []"),
        ("X=1 Y='a b' app", "X=[1] Y=[a b] [app]"),
        ("X= app", "X=[] [app]"),
        ("X+=1", "X=[1]"),
        ("X=(a 'b c')", "X=[]([a] [b c])"),
        ("declare -a X=(a b)", "[declare] [-a] [X=] [a] [b]"),
        ("app X=1", "[app] [X=1]"),
        ("a $X ${Y} \"$Z\"w", "[a] [$X] [$Y] [$Zw]"),
        ("a ${X:-b c} \"${Y-'d'}\"", "[a] [$X:[b c]] [$Y:['d']]"),
        ("a ${X:-'}'}", "[a] [$X:[}]]"),
        ("a ${X%%.*} ${#X} ${X//a/b} ${X[0]}", "[a] [?] [?] [?] [?]"),
        (
            "a $((1 + (2))) $1 $@ $ 100$",
            "[a] [?] [$1] [$@] [$] [100$]",
        ),
        ("a 2>&1 >'b c' <d &>e", "[a] >&[1] >[b c] <[d] &>[e]"),
        ("a 2&>c 2>d # e", "[a] [2] &>[c] >[d]"),
        ("a <<<b", "[a] <<<[b]"),
        ("a 3>&- >& - b", "[a] [b] >&[-] >&[-]"),
        ("a {{ .Values.x | quote }} \"{{ b }}\"", "[a] [?] [?]"),
        ("a $'b\\n'", "[a] [?]"),
        ("time ! a", "[a]"),
        ("a é 'ü' \\ö", "[a] [é] [ü] [ö]"),
    ] {
        assert_eq!(commands(text), [expected], "{text}");
    }
}

#[test]
fn simple_commands_are_found_in_every_compound_command() {
    for (text, expected) in [
        ("a; b & c | d && e || f\ng", "[a]/[b]/[c]/[d]/[e]/[f]/[g]"),
        ("(a; b) > c", "[a]/[b]/>[c]"),
        ("((i++)); a", "subject: /[a]"),
        ("{ a; b; }", "[a]/[b]"),
        (
            "if a; then b; elif c; then d; else e; fi",
            "[a]/[b]/[c]/[d]/[e]",
        ),
        ("while a; do b; done <c", "[a]/[b]/<[c]"),
        (
            "for i in a 'b c'; do d $i; done",
            "items: [a] [b c]/[d] [$i]",
        ),
        ("for i\ndo d; done", "items: /[d]"),
        ("for ((i=0; i<3; i++)); do a; done", "subject: /[a]"),
        (
            "case $X in (a|b) c;; *) d ;; esac",
            "subject: [$X]/pattern: [a] [b]/[c]/pattern: [*]/[d]",
        ),
        (
            "case X in a) b; esac; c",
            "subject: [X]/pattern: [a]/[b]/[c]",
        ),
        (
            "[[ -n $X && a == b ]] && c",
            "test: [-n] [$X] [a] [==] [b]/[c]",
        ),
        ("[[ $X =~ ^(a|b)$ ]]; c", "test: [$X] [=~] [^(a|b)$]/[c]"),
        ("f() { a; }; f", "/[a]/[f]"),
        ("function f { a; }", "subject: /[a]"),
        ("X=$(a \"$(b)\") c", "X=[$()] [c]/[a] [$()]/[b]"),
        ("a `b c` <(d)", "[a] [$()] [$()]/[b] [c]/[d]"),
        ("a ${X:-$(b)}", "[a] [$X:[$()]]/[b]"),
        ("a <<E b\n$c\nE\nd", "[a] [b] <<[E]$c\n/[d]"),
        ("a <<-'E'\n\tb\n\tE\nc", "[a] <<-[E]\tb\n/[c]"),
        ("a $(b <<E\nc\nE\n) d", "[a] [$()] [d]/[b] <<[E]c\n"),
        ("a <<A <<B\n1\nA\n2\nB\n", "[a] <<[A]1\n <<[B]2\n"),
    ] {
        assert_eq!(commands(text).join("/"), expected, "{text}");
    }
}

#[test]
fn an_assignment_before_an_unread_part_keeps_its_empty_value() {
    for text in ["X=\n)", "a; X=\n)", "X=\n; )", "X= ; )"] {
        let script = read(text, DollarSpelling::Plain);
        assert!(script.unread.is_some(), "{text}");
        let assignments = script.commands.iter().flat_map(|one| &one.assignments);
        let values: Vec<_> = assignments.map(|one| script.literal(one.value)).collect();
        assert_eq!(values, [Some("".into())], "{text}");
    }
}

#[test]
fn the_part_after_an_unknown_construct_is_unread() {
    for (text, kept) in [
        ("a; rm !(b); c", 1),
        ("a\nb $[1]", 1),
        ("a 'b", 0),
        ("a\nb \"c", 0),
        ("a; if b; then c", 0),
        ("a <<E\nb", 0),
        ("a; )", 1),
        ("a; coproc b", 1),
        ("a; b `c \\` d`", 1),
        ("a; fi", 1),
        ("a; b 3\\\n>&-", 1),
        ("a; b 1\\\n2>c", 1),
        ("a; b >\\\n>c", 1),
        ("a; b &>c d", 1),
        ("a; b &>c 2", 1),
        ("a; b 3>&-{", 1),
        ("a; b <&-c", 1),
        ("a; b >&\\\n-c", 1),
    ] {
        let script = read(text, DollarSpelling::Plain);
        assert!(script.unread.is_some(), "{text}");
        assert_eq!(script.commands.len(), kept, "{text}");
    }
}

#[test]
fn a_doubled_dollar_sign_is_one_in_a_manifest() {
    let script = read("a $$X $(Y) $${Z}", DollarSpelling::Escapable);
    let words: Vec<_> = (0..script.words.len())
        .map(|one| script.parts(one).len())
        .collect();
    assert_eq!(
        render(&script, &script.commands[0]),
        "[a] [$X] [$()] [$Z]",
        "{words:?}"
    );
    assert_eq!(commands("a $$X"), ["[a] [$$X]"]);
}

#[test]
fn the_word_around_a_range_is_the_innermost_one() {
    let text = "a \"$(b 'ID' c)\" d";
    let script = read(text, DollarSpelling::Plain);
    let at = text.find("ID").unwrap();
    let word = script.word_at(&(at..at + 2)).unwrap();
    assert_eq!(script.literal(word).as_deref(), Some("ID"));
    let command = &script.commands[script.words[word].command];
    assert_eq!(script.words_of(command).len(), 3);
    assert_eq!(script.word_at(&(1..3)), None);
}

proptest! {
    /// The characters that have a meaning, in any order.
    #[test]
    fn any_text_is_read_and_spans_are_ordered(
        text in "([a-z$(){}\\[\\]'\"`\\\\;&|<>\n\t #=:!*?é-]|if |then |fi|case |esac|<<E|\\$\\(|\\$\\{X:-|in ){0,60}"
    ) {
        for dollar in [DollarSpelling::Plain, DollarSpelling::Escapable] {
            let script = read(&text, dollar);
            prop_assert!(script.words.is_sorted_by_key(|one| one.span.start));
            prop_assert!(script.commands.is_sorted_by_key(|one| one.span.start));
            for (index, word) in script.words.iter().enumerate() {
                prop_assert!(text.get(word.span.clone()).is_some());
                prop_assert!(script.parts(index).is_sorted_by_key(|part| part.span.start));
                for part in script.parts(index) {
                    prop_assert!(text.get(part.span.clone()).is_some());
                }
                script.literal(index);
            }
        }
    }
}

#[test]
fn deep_and_long_texts_take_linear_space() {
    for piece in [
        "$(", "${a:-", "\"$(", "if ", "(", "{ ", "f() ", "`", "$((", "{{", "<<E ", "a=$(b) ", "! ",
        "a|", "a&&",
    ] {
        let text = piece.repeat(100_000);
        let script = read(&text, DollarSpelling::Plain);
        assert!(script.words.len() <= text.len(), "{piece}");
    }
}
