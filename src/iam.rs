//! IAM: the permissions that the IDs of workloads need, and what the policies of an organisation deny.
//!
//! A call of an inference profile needs a permission on the profile and one on the model in each region that the profile may route to.
//! A role that was written for a direct ID has neither, so a rewrite without the permissions exchanges one error for another.
//!
//! Sources: the pages of the Amazon Bedrock user guide about geographic and global cross-region inference and about prerequisites of
//! inference profiles, and the IAM user guide about the evaluation of policies.

mod access;
mod document;
mod evaluation;
mod grants;
mod organisation;
mod principal;
mod render;

pub use access::{AccessRequest, Account, ModelAccess, ProfileRoute};
pub use document::{IamEffect, IamPolicy, IamPolicyError, IamStatement};
pub use evaluation::{PolicyMatch, is_allowed};
pub use grants::{GrantDifference, least_policy};
pub use organisation::{DeniedProfiles, OrganisationCheck, PolicySource, check_organisation};
pub use principal::{PrincipalAccess, PrincipalName, RefusedUse, by_principal};
pub use render::{cloudformation, terraform};
