use super::*;
use crate::domain::{fixtures, tokens};

fn of(text: &str, setting: TextKind) -> Result<Syntax, Reason> {
    let snapshot = fixtures::snapshot();
    let token = tokens::tokens(text, &snapshot).next().expect("a token");
    TextContext::of(text, setting).syntax(&token)
}
const ID: &str = "anthropic.claude-sonnet-5";

#[test]
fn an_id_alone_is_whole_whatever_white_space_is_around_it() {
    for text in [ID.to_owned(), format!("{ID}\n"), format!("  {ID} ")] {
        assert_eq!(of(&text, TextKind::Data), Ok(Syntax::WHOLE), "{text:?}");
    }
    assert_eq!(of(&format!("{ID}[1m]"), TextKind::Env), Ok(Syntax::PART));
}

#[test]
fn every_wrapper_is_unwrapped_in_every_setting() {
    for wrapper in WRAPPERS {
        for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
            assert_eq!(
                of(&format!("{wrapper}{ID}"), setting),
                Ok(Syntax::PART),
                "{wrapper}"
            );
        }
    }
    let region = Region::parse("us-west-2").ok();
    assert_eq!(
        of(&format!("bedrock/us-west-2/{ID}"), TextKind::Data),
        Ok(Syntax {
            region,
            ..Syntax::PART
        })
    );
}

#[test]
fn an_id_after_another_route_is_unchanged() {
    for (text, reason) in [
        ("vertex_ai/ID", Reason::OtherCloud),
        ("openrouter/ID", Reason::OtherCloud),
        ("bedrock/us-nowhere/ID", Reason::OtherCloud),
        ("litellm_proxy/bedrock/ID", Reason::GatewayClient),
        ("bedrock/mantle/ID", Reason::Mantle),
        ("bedrock_mantle/ID", Reason::Mantle),
        ("bedrock/async_invoke/ID", Reason::Batch),
        (
            "bedrock/us-east-1/1-month-commitment/ID",
            Reason::ProvisionedSuffix,
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/ID",
            Reason::InArn,
        ),
        ("https://gateway/model/ID/invoke", Reason::GatewayClient),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/ID",
            Reason::UnknownFormat,
        ),
        ("ID:48k", Reason::ProvisionedSuffix),
        ("ID@20250929", Reason::OtherCloud),
        ("ID%3A0", Reason::PercentEncoded),
        ("ID/invoke", Reason::UnknownFormat),
        ("@aws-bedrock/ID", Reason::OtherCloud),
        ("bedrock://ID", Reason::GatewayClient),
        ("bedrock::ID", Reason::UnknownFormat),
        (
            "https://bedrock-runtime.$(AWS_REGION).amazonaws.com/model/ID/invoke",
            Reason::RegionOutOfSight,
        ),
    ] {
        let text = text.replace("ID", ID);
        assert_eq!(of(&text, TextKind::Env), Err(reason), "{text}");
    }
}

#[test]
fn an_id_that_a_template_may_complete_is_unchanged() {
    for text in [
        "{{ .Values.prefix }}ID",
        "ID{{ .Values.suffix }}",
        "{% if a %}ID{% else %}x{% endif %}",
        "--model={{ .Values.prefix }}ID",
        "{{ .Values.model | default \"ID\" }}",
        "--model {{ .Values.model | default 'ID' }} --fast",
    ] {
        let text = text.replace("ID", ID);
        for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
            assert_eq!(of(&text, setting), Err(Reason::UnknownFormat), "{text}");
        }
    }
    let beside = format!("--region {{{{ .Values.region }}}} --model {ID}");
    assert!(of(&beside, TextKind::Argument).is_ok());
}

#[test]
fn an_address_of_the_runtime_names_its_region() {
    let of_region = |code| {
        Ok(Syntax {
            region: Region::parse(code).ok(),
            ..Syntax::PART
        })
    };
    for (text, code) in [
        (
            "https://bedrock-runtime.us-west-2.amazonaws.com/model/ID/invoke",
            "us-west-2",
        ),
        (
            "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com/model/ID/converse",
            "eu-west-1",
        ),
        (
            "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/model/ID/converse",
            "us-gov-west-1",
        ),
        (
            "https://bedrock-runtime.eu-central-1.api.aws/model/ID/converse",
            "eu-central-1",
        ),
    ] {
        assert_eq!(
            of(&text.replace("ID", ID), TextKind::Env),
            of_region(code),
            "{text}"
        );
    }
}

#[test]
fn a_command_line_may_hold_an_id_and_prose_may_not() {
    for text in [
        "--model=ID",
        "--model ID",
        "--model=bedrock/ID",
        "exec app --model 'ID' --x",
        "MODEL=ID app",
        "app ID",
    ] {
        assert!(
            of(&text.replace("ID", ID), TextKind::Argument).is_ok(),
            "{text}"
        );
    }
    assert!(of(&format!("-Dmodel={ID} -Xmx1g"), TextKind::Env).is_ok());
    assert!(of(&format!("--model {ID} --fast"), TextKind::Env).is_ok());
    assert!(of(&format!("\"{ID}\""), TextKind::Env).is_ok());
    assert_eq!(
        of(&format!("the model {ID} is slow"), TextKind::Env),
        Err(Reason::Prose)
    );
    assert_eq!(
        of(&format!("# was {ID}\nexec app"), TextKind::Argument),
        Err(Reason::Prose)
    );
    assert_eq!(
        of(&format!("model: {ID}"), TextKind::Data),
        Err(Reason::UnknownFormat)
    );
    for (text, reason) in [
        ("curl -d '{\"modelId\": \"ID\"}'", Reason::UnknownFormat),
        (
            "curl http://gateway -d '{\"model\": \"ID\"}'",
            Reason::GatewayClient,
        ),
    ] {
        assert_eq!(of(&text.replace("ID", ID), TextKind::Argument), Err(reason));
    }
}

#[test]
fn a_list_is_reported_as_one() {
    for text in [
        "ID,x",
        "x, ID",
        "ID;x",
        "x|ID",
        "[\"ID\"]",
        "[\"x\", \"ID\"]",
    ] {
        for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
            let syntax = of(&text.replace("ID", ID), setting).unwrap();
            assert!(syntax.listed && !syntax.in_pairs, "{text}");
        }
    }
    for text in ["app --models ID,x --fast", "--models '[\"x\", \"ID\"]'"] {
        let syntax = of(&text.replace("ID", ID), TextKind::Argument).unwrap();
        assert!(syntax.listed && !syntax.in_pairs, "{text}");
    }
}

#[test]
fn pairs_and_sentences_are_no_lists_that_other_data_must_equal() {
    for text in ["a=x,model=ID,b=y", "a=ID,b=y", "--set a=x,model=ID"] {
        for setting in [TextKind::Env, TextKind::Argument] {
            let syntax = of(&text.replace("ID", ID), setting).unwrap();
            assert!(syntax.in_pairs, "{text}");
        }
    }
    for text in ["Use ID, not x.", "Use x, ID or y."] {
        assert_eq!(
            of(&text.replace("ID", ID), TextKind::Env),
            Err(Reason::Prose)
        );
    }
}

#[test]
fn an_id_behind_a_variable_is_prefixed() {
    for text in ["$(GEO)ID", "${GEO}ID", "--model=$(GEO)ID"] {
        let text = text.replace("ID", ID);
        for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
            assert_eq!(of(&text, setting), Err(Reason::PrefixedByTool), "{text}");
        }
    }
    assert!(of(&format!("--token $(TOKEN) {ID}"), TextKind::Argument).is_ok());
}

#[test]
fn the_default_of_a_parameter_may_hold_an_id() {
    for text in ["${X:-ID}", "${X-ID}", "${X:=bedrock/ID}", " ${X=ID}\n"] {
        let text = text.replace("ID", ID);
        for setting in [TextKind::Env, TextKind::Data] {
            let syntax = of(&text, setting);
            assert!(syntax.is_ok_and(|syntax| !syntax.whole), "{text}");
        }
    }
    // A default of Spring, or of an expression that is not known.
    for text in ["${X:ID}", "${X:+ID}", "${X.y:-ID}"] {
        let text = text.replace("ID", ID);
        assert!(of(&text, TextKind::Data).is_err(), "{text}");
    }
}
