//! Checked-in files that the code generates: each holds what the code says. `UPDATE=1` writes them anew.

mod config_schema;
mod crds;
mod detection_page;
mod kinds;
mod manual;
mod rbac;
mod reason_pages;
mod report_schema;
