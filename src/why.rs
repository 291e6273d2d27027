//! Why one object was or was not rewritten: the gates between an object and its rewrite, and the one change that alters the answer. Pure;
//! the command `why` reads what it needs.
//!
//! ```text
//! gate       the gates, and the result of one
//! input      what was read: the object's surroundings, the webhook configuration, the times, the response to a dry run
//! selection  which policy selects the object, or would
//! ids        each ID with its regions in sight and its outcome
//! decide     the gates of one object
//! id_gates   those about its IDs
//! webhook    those of the webhook configuration
//! answer     the answer in one sentence, and what to change
//! dry_run    the copy that a dry run sends, and what the response to it means
//! explain    all of them, into a report
//! report     the report, as JSON
//! text       the report, for people
//! ```

mod answer;
mod decide;
mod dry_run;
mod explain;
mod gate;
mod id_gates;
mod ids;
mod input;
mod report;
mod selection;
mod text;
mod webhook;

pub use dry_run::{DryRunAnswer, DryRunOutcome, copy_of};
pub use explain::explain;
pub use gate::{Gate, GateResult, GateState};
pub use input::{LiveObject, WhyInput};
pub use report::{AnswerOutcome, WhyReport};
pub use selection::is_answered_by_dry_run;
pub use text::text;
pub use webhook::{ConfigurationLookup, ReviewingWebhook, webhooks_of};
