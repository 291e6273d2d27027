//! Certificates over time: single decisions, and a simulation of years with late watches and failing leaders.

mod files_world;
mod from_files;
mod issuers;
mod rotation;
mod secret;
mod simulation;
mod world;
