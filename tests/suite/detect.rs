//! What is found in a text, and the context rules that hold an ID back.

mod context_rules;
