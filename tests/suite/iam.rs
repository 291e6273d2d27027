//! IAM: the least policy allows each call and nothing else, by an evaluator of the tests' own; denials of organisations; the command.

mod command;
mod evaluator;
mod organisation;
mod published;
mod rows;
