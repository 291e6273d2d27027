use std::sync::Arc;

use super::*;
use crate::budget::{Budget, Limits};
use crate::domain::setting::SettingValue;
use crate::domain::{fixtures, tokens};
use crate::text::shell::DollarSpelling;

const ID: &str = "anthropic.claude-sonnet-5";

/// The place of the first ID of a script.
fn place(text: &str) -> PlaceInCommand {
    let text = text.replace("ID", ID);
    let snapshot = fixtures::snapshot();
    let token = tokens::tokens(&text, &snapshot).next().expect("a token");
    let budget = Budget::new(Limits::NONE);
    ScriptCommands::new(&text, DollarSpelling::Plain, &Arc::default(), &budget)
        .place(&token, &budget)
}

/// The settings in reach as `name=value`, the nearest first.
fn settings(text: &str) -> Vec<String> {
    let reach = place(text).reach;
    let all = reach.beside.iter().chain(&reach.before);
    all.map(|one| match &one.value {
        SettingValue::Text(text) => format!("{}={text}", one.name),
        SettingValue::Variable { name, default } => {
            format!(
                "{}=${name}:{}",
                one.name,
                default.as_deref().unwrap_or_default()
            )
        }
        SettingValue::Unreadable => format!("{}=?", one.name),
    })
    .filter(|one| !one.contains(ID))
    .collect()
}

#[test]
fn an_id_is_a_whole_argument_or_a_whole_value() {
    for (text, own) in [
        ("app --model ID", Some("model")),
        ("app --model=bedrock/ID", Some("model")),
        ("app -Dbedrock.model=ID", Some("bedrock.model")),
        ("helm --set a=b,bedrock.model=ID", Some("bedrock.model")),
        ("MODEL=ID app", Some("MODEL")),
        ("export MODEL='ID'", Some("MODEL")),
        ("MODEL=\"${MODEL:-ID}\"", Some("MODEL")),
        ("app \"${MODEL-ID}\"", Some("MODEL")),
        ("app $(MODEL=ID x)", Some("MODEL")),
        ("app chat ID", None),
    ] {
        let place = place(text);
        assert!(place.syntax.is_ok(), "{text}: {:?}", place.syntax);
        assert_eq!(place.own.as_deref(), own, "{text}");
    }
}

#[test]
fn an_id_in_another_role_is_unchanged() {
    for (text, reason) in [
        ("[ \"$M\" = ID ]", Reason::RoutingMatch),
        ("case $M in ID) x;; esac", Reason::RoutingMatch),
        ("list | grep -q ID", Reason::UnknownFormat),
        ("echo take ID", Reason::Prose),
        ("x # ID", Reason::Prose),
        ("app ${GEO}ID", Reason::PrefixedByTool),
        ("B=ID; app us.$B", Reason::PrefixedByTool),
        (
            "aws bedrock get-foundation-model --model-identifier ID",
            Reason::DirectIdOnly,
        ),
        (
            "M=ID; aws --region x bedrock-runtime count-tokens --model-id $M",
            Reason::DirectIdOnly,
        ),
        ("python3 -c 'f(\"ID\")'", Reason::UnknownFormat),
        (
            "curl http://gateway -d '{\"model\": \"ID\"}'",
            Reason::GatewayClient,
        ),
        ("app 'ID", Reason::UnknownFormat),
    ] {
        assert_eq!(place(text).syntax.err(), Some(reason), "{text}");
    }
}

#[test]
fn the_settings_in_reach_are_those_of_the_command_and_of_the_script_before_it() {
    for (text, expected) in [
        ("app --region r --model ID", &["region=r"][..]),
        ("app --model ID; app --region r", &[]),
        ("app --token \"$(x --region r)\" --model ID", &["token=?"]),
        ("app --region \"$R\" --model ID", &["region=$R:"]),
        ("R=r; app --region \"$R\" --model ID", &["region=r", "R=r"]),
        ("app --region \"${R:-d}\" --model ID", &["region=$R:d"]),
        (
            "A=1 env B=2 app -e C --model ID",
            &["A=1", "B=2", "argument 2=app", "e=C", "C=$C:"],
        ),
        ("(export A=1); app --model ID", &[]),
        ("x && A=1; app --model ID", &["A=$A:", "A=1"]),
        ("A=1; A=2; app --model ID", &["A=2"]),
        ("M=ID; A=1; app --model $M --region r", &["region=r", "A=1"]),
        ("bash -c 'A=1'; app --model ID", &[]),
    ] {
        assert_eq!(settings(text), expected, "{text}");
    }
}

#[test]
fn other_processes_do_not_see_the_variables_of_the_container() {
    for (text, expected) in [
        ("app --model ID", false),
        ("aws bedrock-runtime converse --model-id ID", false),
        ("aws ssm put-parameter --value ID", true),
        ("docker run -e MODEL=ID image", true),
        ("echo x | ssh host app --model ID", true),
        ("env -i app --model ID", true),
    ] {
        assert_eq!(place(text).reach.is_other_process, expected, "{text}");
    }
}
