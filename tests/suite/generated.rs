//! Checked-in files that the code generates: each holds what the code says. `UPDATE=1` writes them anew.

mod crds;
mod detection_page;
mod kinds;
mod rbac;
mod report_schema;
