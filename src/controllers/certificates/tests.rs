//! Certificates over time: single decisions, and a simulation of years with late watches and failing leaders.

mod from_files;
mod issuers;
mod rotation;
mod secret;
mod simulation;
mod world;
