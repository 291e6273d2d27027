//! The schemas of `docs/schemas/` are generated from the types of reports. `UPDATE=1` writes them.

use std::fs;

use bedrock_profiles::cli::catalog::check::CatalogCheck;
use bedrock_profiles::health::CheckReport;
use bedrock_profiles::preview::PreviewReport;
use bedrock_profiles::report::AuditReport;
use bedrock_profiles::why::WhyReport;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

fn assert_generated<T: JsonSchema>(file: &str) {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.into_root_schema_for::<T>();
    let expected = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, &expected).unwrap();
        return;
    }
    let written = fs::read_to_string(file).unwrap();
    assert_eq!(written, expected, "{file}: UPDATE=1 writes it");
}

#[test]
fn the_schema_of_a_report_is_generated_from_its_types() {
    assert_generated::<AuditReport>("docs/schemas/report.json");
}

#[test]
fn the_schema_of_a_check_of_the_catalog_is_generated_from_its_types() {
    assert_generated::<CatalogCheck>("docs/schemas/catalog-check.json");
}

#[test]
fn the_schema_of_an_explanation_is_generated_from_its_types() {
    assert_generated::<WhyReport>("docs/schemas/why.json");
}

#[test]
fn the_schema_of_a_check_of_a_cluster_is_generated_from_its_types() {
    assert_generated::<CheckReport>("docs/schemas/check.json");
}

#[test]
fn the_schema_of_a_preview_is_generated_from_its_types() {
    assert_generated::<PreviewReport<'_>>("docs/schemas/preview.json");
}
