//! What the API server checks by itself: the forms of names as schemas, and rules over several fields as CEL. Whatever it
//! refuses, `validate` refuses too, in the same words where the API server lets us choose them.
//!
//! Patterns cost nothing, rules have a budget (10 million per rule, times the items that it is asked for). So a policy, which
//! people write, has sentences, and the many texts of a mapping have patterns.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// Region codes of every partition; `domain::region` says the same in words.
const REGION: &str =
    "^(us-gov|us-isob?|us-isof|eu-isoe|eusc-de|cn|us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]{1,2}$";

/// A region code, or the word for all of them.
const REGION_OR_ANY: &str = r"^(\*|(us-gov|us-isob?|us-isof|eu-isoe|eusc-de|cn|us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-[0-9]{1,2})$";

/// A vendor, a dot and a name.
const MODEL: &str = r"^[a-z0-9]+\.[A-Za-z0-9.:_-]+$";

/// Lower-case letters and hyphens, none of these at an end.
const GEOGRAPHY: &str = "^[a-z][a-z-]{0,6}[a-z]$";

/// A word of signs that stand in any text as they are, a letter or a digit among them; `validate` says the same in words.
const ALIAS: &str = r"^[!#%&(-\[\]-~]*[A-Za-z0-9][!#%&(-\[\]-~]*$";

/// What is wrong with a text that is no region, model ID or geography, after the text itself.
const NO_REGION: &str =
    "is not an AWS region: expected a code such as `eu-west-1` or `us-gov-west-1`";
const NO_MODEL: &str =
    "is not a model ID: expected `VENDOR.NAME`, such as `anthropic.claude-sonnet-5`";
const NO_GEOGRAPHY: &str =
    "is not a geography: expected lower-case letters and hyphens, such as `eu` or `us-gov`";

/// A text of one form, by its schema.
struct TextRule {
    pattern: &'static str,
    longest: u32,
    wrong: &'static str,
}

impl TextRule {
    /// Checked by the pattern: any number of them.
    fn pattern(&self) -> Schema {
        let Self {
            pattern, longest, ..
        } = self;
        json_schema!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern})
    }

    /// Checked by a rule, which says what to write.
    fn rule(&self, more: &[ObjectRule]) -> Schema {
        let Self {
            pattern,
            longest,
            wrong,
        } = self;
        let form = json!({
            "rule": format!("self.matches(r'{pattern}')"),
            "message": wrong,
            "messageExpression": format!("'`' + self + '` {wrong}'"),
        });
        let rules: Vec<Value> = [form]
            .into_iter()
            .chain(more.iter().map(ObjectRule::written))
            .collect();
        json_schema!({"type": "string", "minLength": 1, "maxLength": longest, "x-kubernetes-validations": rules})
    }
}

const A_REGION: TextRule = TextRule {
    pattern: REGION,
    longest: 20,
    wrong: NO_REGION,
};
const A_REGION_OR_ANY: TextRule = TextRule {
    pattern: REGION_OR_ANY,
    longest: 20,
    wrong: NO_REGION,
};
const A_MODEL: TextRule = TextRule {
    pattern: MODEL,
    longest: 64,
    wrong: NO_MODEL,
};
const A_GEOGRAPHY: TextRule = TextRule {
    pattern: GEOGRAPHY,
    longest: 8,
    wrong: NO_GEOGRAPHY,
};

/// One rule over the fields of an object.
pub(super) struct ObjectRule {
    /// An expression that is true of what is right.
    pub(super) holds: &'static str,
    /// What is wrong, and what to write instead, whatever the object holds.
    pub(super) message: &'static str,
    /// The same with the words of the object.
    pub(super) worded: &'static str,
    /// The field that is to blame, below the object.
    pub(super) field: &'static str,
}

impl ObjectRule {
    fn written(&self) -> Value {
        let Self {
            holds,
            message,
            worded,
            field,
        } = self;
        let mut written = json!({"rule": holds, "message": message});
        for (key, text) in [("messageExpression", worded), ("fieldPath", field)] {
            if !text.is_empty() {
                written[key] = json!(text);
            }
        }
        written
    }
}

/// Rules as the schema has them.
pub(super) fn rules(rules: &[ObjectRule]) -> Vec<Value> {
    rules.iter().map(ObjectRule::written).collect()
}

/// Of every profile of a model.
pub(super) const MODEL_RULES: [ObjectRule; 1] = [ObjectRule {
    holds: "!has(self.profiles) || self.profiles.all(p, p.id == p.geography + '.' + self.modelId)",
    message: "a profile ID is its geography, a dot and the model ID",
    // Which profile it is would cost more than a rule may: the estimate multiplies whatever makes a list.
    worded: "'a profile ID is its geography, a dot and the model ID: with the geography `eu` write `eu.' + self.modelId + '`'",
    field: ".profiles",
}];

/// Of a geography that a policy allows.
const ALLOWED_RULES: [ObjectRule; 1] = [ObjectRule {
    holds: "self != 'global'",
    message: "`global` is no geography to allow: set `spec.geography.global` to `Fallback` or `Prefer`",
    worded: "",
    field: "",
}];

/// Of an override: its target, and the regions that it is called from.
pub(super) const OVERRIDE_RULES: [ObjectRule; 4] = [
    ObjectRule {
        holds: r"!self.target.startsWith('arn:') || self.target.matches(r'^arn:aws[!#%-9;-\[\]-~]*:[!#%-9;-\[\]-~]+:[!#%-9;-\[\]-~]*:[!#%-9;-\[\]-~]*:[!#%-\[\]-~]+$')",
        message: "the target is not an ARN: expected `arn:PARTITION:bedrock:REGION:ACCOUNT:RESOURCE`",
        worded: "'`' + self.target + '` is not an ARN: expected `arn:PARTITION:bedrock:REGION:ACCOUNT:RESOURCE`'",
        field: ".target",
    },
    ObjectRule {
        holds: "self.target.startsWith('arn:') || self.target.endsWith('.' + self.modelId) && self.target.substring(0, self.target.size() - self.modelId.size() - 1).matches(r'^[a-z][a-z-]{0,6}[a-z]$')",
        message: "the target is neither an ARN nor a profile of the model: to move to another model write a replacement",
        worded: "'`' + self.target + '` is neither an ARN nor a profile of `' + self.modelId + '`: to move to another model write a replacement'",
        field: ".target",
    },
    ObjectRule {
        holds: "!self.target.startsWith('arn:') || self.target.split(':').size() < 6 || has(self.sourceRegions) && self.target.split(':')[3] in self.sourceRegions",
        message: "an ARN serves its own region alone: name it in `sourceRegions`, or write the ARN of a region there",
        worded: "'an ARN serves its own region alone: name `' + self.target.split(':')[3] + '` in `sourceRegions`, or write the ARN of a region there'",
        field: ".target",
    },
    ObjectRule {
        holds: "!self.target.startsWith('arn:') || !has(self.sourceRegions) || self.sourceRegions.all(r, self.target.startsWith(r.startsWith('us-gov-') ? 'arn:aws-us-gov:' : r.startsWith('us-isob-') ? 'arn:aws-iso-b:' : r.startsWith('us-isof-') ? 'arn:aws-iso-f:' : r.startsWith('us-iso-') ? 'arn:aws-iso:' : r.startsWith('eu-isoe-') ? 'arn:aws-iso-e:' : r.startsWith('eusc-de-') ? 'arn:aws-eusc:' : r.startsWith('cn-') ? 'arn:aws-cn:' : 'arn:aws:'))",
        message: "an ARN serves its own partition alone: write the one of `sourceRegions` behind `arn:`, or regions of the ARN's",
        worded: "",
        field: ".target",
    },
];

/// Of a replacement.
pub(super) const REPLACEMENT_RULES: [ObjectRule; 1] = [ObjectRule {
    holds: "self.from != self.to",
    message: "a replacement leads to another model than it starts from: name the model to move to",
    worded: "",
    field: ".to",
}];

/// Of one condition of a label selector.
pub(super) const REQUIREMENT_RULES: [ObjectRule; 2] = [
    ObjectRule {
        holds: "!(self.operator in ['In', 'NotIn']) || has(self.values) && self.values.size() > 0",
        message: "operators `In` and `NotIn` need at least one value: add `values`, or write `Exists` or `DoesNotExist`",
        worded: "'operator `' + self.operator + '` needs at least one value: add `values`, or write `Exists` or `DoesNotExist`'",
        field: "",
    },
    ObjectRule {
        holds: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || self.values.size() == 0",
        message: "operators `Exists` and `DoesNotExist` take no values: remove `values`, or write `In` or `NotIn`",
        worded: "'operator `' + self.operator + '` takes no values: remove `values`, or write `In` or `NotIn`'",
        field: "",
    },
];

/// Texts of a form, for the schema alone.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident => $schema:expr;)+) => { $(
        $(#[doc = $doc])+
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+ };
}

texts! {
    /// A region, by its pattern.
    RegionText => A_REGION.pattern();
    /// A region or `*`, by its pattern.
    RegionOrAnyText => A_REGION_OR_ANY.pattern();
    /// A model ID, by its pattern.
    ModelText => A_MODEL.pattern();
    /// An alias, by its pattern.
    AliasText => json_schema!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": ALIAS});
    /// A geography, by its pattern.
    GeographyText => A_GEOGRAPHY.pattern();
    /// A region, by a rule.
    RegionRule => A_REGION.rule(&[]);
    /// A model ID, by a rule.
    ModelRule => A_MODEL.rule(&[]);
    /// A geography that is not `global`, by a rule.
    AllowedRule => A_GEOGRAPHY.rule(&ALLOWED_RULES);
    /// A day as YYYY-MM-DD.
    Day => json_schema!({"type": "string", "format": "date", "maxLength": 10});
}
