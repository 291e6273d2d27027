//! `docs/schemas/report.json` is generated from the types of a report. `UPDATE=1` writes it.

use std::fs;

use bedrock_profiles::report::AuditReport;
use schemars::generate::SchemaSettings;

const FILE: &str = "docs/schemas/report.json";

#[test]
fn the_schema_of_a_report_is_generated_from_its_types() {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<AuditReport>();
    let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(FILE, &expected).unwrap();
        return;
    }
    let written = fs::read_to_string(FILE).unwrap();
    assert_eq!(written, expected, "{FILE}: UPDATE=1 writes it");
}
