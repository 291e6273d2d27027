//! SARIF 2.1.0, for code scanning of GitHub and other services.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::report::cause::Cause;
use crate::report::explanation::explanation;
use crate::report::fingerprint::fingerprints;
use crate::report::severity::Severity;
use crate::report::text::Show;
use crate::report::{AuditReport, ExemptedBy, FindingRecord, Source, UnreadPart, messages};

use super::FormatOptions;

mod log;

use log::{
    ArtifactChange, ArtifactLocation, Driver, Fix, Invocation, LogicalLocation, Notification,
    PhysicalLocation, ReplacedText, ResultLocation, RuleConfiguration, Run, SarifLog, SarifMessage,
    SarifResult, SarifRule, SarifTool, Suppression, TextRegion,
};

/// The page of the project.
const PROJECT: &str = "https://github.com/bedrock-profiles/bedrock-profiles";

/// The name of the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// The key of a fingerprint, with the version of its computation. The upload action of GitHub computes `primaryLocationLineHash`, and
/// warns about every other value under that key.
const FINGERPRINT: &str = "bedrockProfiles/v1";

/// The findings that are shown. An ID that is replaced in its file has a fix, and a finding that does not count is suppressed. Suppressed
/// ones need the choice of the user like others: GitHub opens alerts for them.
///
/// # Errors
/// Never: the log has only values that JSON has.
pub fn sarif(
    report: &AuditReport,
    options: FormatOptions<'_>,
) -> Result<String, serde_json::Error> {
    let paths = options.paths;
    let fingerprints = fingerprints(&report.findings, |name| paths.path(name));
    let all = report.findings.iter().zip(fingerprints);
    let shown: Vec<_> = all
        .filter(|(one, _)| Show::any(options.show, one))
        .collect();
    let causes: BTreeSet<_> = shown.iter().map(|(one, _)| one.cause()).collect();
    let results = shown.into_iter().map(|(one, fingerprint)| {
        let rule_index = causes.range(..one.cause()).count();
        result(one, rule_index, fingerprint, options)
    });
    let notifications = report.unread_parts().map(|one| notification(&one, options));
    let log = SarifLog {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: SarifTool {
                driver: Driver {
                    name: report.tool.name,
                    semantic_version: report.tool.version,
                    information_uri: PROJECT,
                    rules: causes.iter().map(|cause| rule(*cause)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: report.incomplete.is_empty()
                    && !report.unread_files.iter().any(|one| one.is_error),
                tool_execution_notifications: notifications.collect(),
            }],
            column_kind: "unicodeCodePoints",
            results: results.collect(),
        }],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule(cause: Cause) -> SarifRule {
    SarifRule {
        id: cause.as_str(),
        name: cause.as_str(),
        short_description: SarifMessage::new(cause.description()),
        help: SarifMessage::new(help(cause)),
        help_uri: cause.url(),
        default_configuration: RuleConfiguration {
            level: level(cause.severity()),
        },
    }
}

/// What to do.
fn help(cause: Cause) -> &'static str {
    explanation(cause).map_or(cause.description(), |one| one.advice)
}

/// The level of a severity. SARIF requires `none` for a result that is no failure.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Change | Severity::Warning => "warning",
        Severity::Note => "note",
        Severity::Ok => "none",
    }
}

fn result(
    one: &FindingRecord,
    rule_index: usize,
    fingerprint: String,
    options: FormatOptions<'_>,
) -> SarifResult {
    let severity = one.severity();
    SarifResult {
        rule_id: one.cause().as_str(),
        rule_index,
        level: level(severity),
        kind: if severity == Severity::Ok {
            "pass"
        } else {
            "fail"
        },
        message: SarifMessage::new(messages::sentence(one)),
        locations: vec![location(one, options)],
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, fingerprint)]),
        fixes: fix(one, options).into_iter().collect(),
        suppressions: suppression(one).into_iter().collect(),
    }
}

/// Why the finding does not count: by a comment of the file or an annotation of the object, or from outside.
fn suppression(one: &FindingRecord) -> Option<Suppression> {
    let (kind, justification) = match (&one.exempt, one.reason) {
        (Some(exemption), _) => {
            let kind = match exemption.by {
                ExemptedBy::Comment => "inSource",
                ExemptedBy::Configuration | ExemptedBy::Baseline => "external",
            };
            (kind, exemption.to_string())
        }
        (None, Some(Reason::OptedOut)) if !one.opt_out_ends_soon() => {
            ("inSource", one.message.clone()?)
        }
        (None, _) => return None,
    };
    Some(Suppression {
        kind,
        justification,
    })
}

/// The place in the file, and the object.
fn location(one: &FindingRecord, options: FormatOptions<'_>) -> ResultLocation {
    let physical = one.source.as_ref().map(|source| PhysicalLocation {
        artifact_location: artifact(&options.paths.path(&source.file)),
        region: Some(TextRegion {
            start_line: source.line,
            start_column: source.column,
            end_column: source.end_column,
        }),
    });
    let logical = one.object.as_ref().map(|object| LogicalLocation {
        name: object.name.clone(),
        fully_qualified_name: object.to_string(),
        kind: "resource",
    });
    ResultLocation {
        physical_location: physical,
        logical_locations: logical.into_iter().collect(),
    }
}

fn notification(one: &UnreadPart<'_>, options: FormatOptions<'_>) -> Notification {
    let level = if one.is_error { "error" } else { "note" };
    let location = one.file.map(|file| ResultLocation {
        physical_location: Some(PhysicalLocation {
            artifact_location: artifact(&options.paths.path(file)),
            region: one.position.map(|(line, column)| TextRegion {
                start_line: line,
                start_column: column,
                end_column: None,
            }),
        }),
        logical_locations: Vec::new(),
    });
    Notification {
        level,
        message: SarifMessage::new(one.problem.to_string()),
        locations: location.into_iter().collect(),
    }
}

/// A file of the repository, or one elsewhere by its absolute name.
fn artifact(path: &str) -> ArtifactLocation {
    let uri = encoded(path);
    if uri.starts_with('/') {
        ArtifactLocation {
            uri: format!("file://{uri}"),
            uri_base_id: None,
        }
    } else {
        ArtifactLocation {
            uri,
            uri_base_id: Some(ROOT),
        }
    }
}

/// A path as a URI reference: bytes that such a reference cannot have are percent-encoded, and the colon, which would end a scheme.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The replacement of the ID, if the file alone decides it.
fn fix(one: &FindingRecord, options: FormatOptions<'_>) -> Option<Fix> {
    let (source, after) = replacement(one)?;
    let end_column = source.end_column?;
    (one.severity() == Severity::Change).then(|| Fix {
        description: SarifMessage::new(format!("Replace the ID by {after}")),
        artifact_changes: [ArtifactChange {
            artifact_location: artifact(&options.paths.path(&source.file)),
            replacements: [ReplacedText {
                deleted_region: TextRegion {
                    start_line: source.line,
                    start_column: source.column,
                    end_column: Some(end_column),
                },
                inserted_content: SarifMessage::new(after.to_owned()),
            }],
        }],
    })
}

/// Where an ID is replaced, by what: as `fix` does it, so not in an object that takes the ID from another, nor for a preview.
fn replacement(one: &FindingRecord) -> Option<(&Source, &str)> {
    let is_edited = !one.preview && one.mode != Mode::DryRun && one.reference.is_none();
    let (source, after) = (one.source.as_ref()?, one.after.as_deref()?);
    is_edited.then_some((source, after))
}

impl SarifMessage {
    fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into() }
    }
}
