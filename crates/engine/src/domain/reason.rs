//! Why a model ID is unchanged: one closed enum, the same value in metrics, warnings, reports and on the command line.

use std::fmt;

/// The order in which reasons are checked: if several reasons apply, the first group with one determines the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The syntax and the context of the text.
    Shape,
    /// The state of the whole object.
    Object,
    /// The models and kinds that the policy includes.
    Policy,
    /// The catalog's knowledge of the model.
    Model,
    /// Whether the region is known.
    Region,
    /// Whether the text comes from another object.
    Reference,
    /// The mapping's rows and the policy's rules for the (model, region) pair.
    Rows,
}

/// Which warning of the webhook reports a reason, even where the object may not be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonWarning {
    /// None.
    Silent,
    /// The model has reached its end of life.
    EndOfLife,
    /// The policy would not permit the profile.
    NotPermitted,
    /// The ID is not replaced although it needs attention: why, in few words that follow the ID.
    Unresolved(&'static str),
}

/// Whether the reason may differ in another region.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReasonScope {
    /// The reason holds in this region.
    Region,
    /// The reason holds in every region.
    Everywhere,
}

macro_rules! reasons {
    ($($group:ident { $($name:ident: $warning:ident, $scope:ident, $sentence:literal $(=> $text:literal)?,)+ })+) => {
        /// Why a model ID is unchanged.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $sentence] $name,)+)+
        }

        impl Reason {
            /// Every reason, group by group.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// The name in metric labels, reports and command-line output.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)+)+ }
            }

            /// A one-sentence description for users.
            pub const fn description(self) -> &'static str {
                match self { $($(Self::$name => $sentence,)+)+ }
            }

            /// The group, which orders the checks.
            pub const fn group(self) -> Group {
                match self { $($(Self::$name => Group::$group,)+)+ }
            }

            /// Which warning reports the reason.
            pub const fn warning(self) -> ReasonWarning {
                match self { $($(Self::$name => ReasonWarning::$warning $(($text))?,)+)+ }
            }

            const fn scope(self) -> ReasonScope {
                match self { $($(Self::$name => ReasonScope::$scope,)+)+ }
            }
        }
    };
}

// Per reason: the warning of the webhook, where it holds, its description, and the text of
// an `Unresolved` warning.
reasons! {
    Shape {
        AlreadyProfiled:         Silent,       Region,     "The ID already names an inference profile.",
        ProfileNotServed:        Unresolved,   Region,     "The ID names a profile that does not serve the workload's region."
            => "this profile does not serve the region",
        ProfileNotPermitted:     NotPermitted, Region,     "The ID names a profile that the policy would not permit.",
        NeverExisted:            Unresolved,   Everywhere, "No scan has found a profile of this model with this prefix."
            => "no profile with this prefix is known",
        DoublePrefix:            Unresolved,   Everywhere, "The ID has two prefixes, but every profile has exactly one."
            => "it has two prefixes",
        InArn:                   Unresolved,   Everywhere, "The ID is inside an ARN, which names an account's resource."
            => "an ARN is never edited",
        PercentEncoded:          Unresolved,   Everywhere, "The ID is percent-encoded, as in a URL."
            => "percent-encoded text is never edited",
        ProvisionedSuffix:       Silent,       Everywhere, "The ID has a size suffix or a commitment, as for provisioned throughput.",
        ListLeft:                Silent,       Everywhere, "The ID is in a list, which other data may have to match.",
        ClientAlias:             Silent,       Everywhere, "The text is the name under which clients request a model from a gateway.",
        MapKey:                  Silent,       Everywhere, "The ID is a key of a lookup table, or has to equal one.",
        PriceTable:              Silent,       Everywhere, "The ID is in a table of prices or costs.",
        RoutingMatch:            Silent,       Everywhere, "The ID is compared with the model that clients request.",
        Dashboard:               Silent,       Everywhere, "The ID selects a metric in a dashboard or an alert, or labels telemetry that they select.",
        IamDocument:             Silent,       Everywhere, "The ID is in an IAM policy document.",
        Prose:                   Silent,       Everywhere, "The ID is in prose or a comment.",
        ExplicitProfile:         Silent,       Everywhere, "A profile is named beside the ID, and the application uses the profile.",
        PrefixedByTool:          Silent,       Everywhere, "The tool adds the prefix to the ID by itself.",
        Mantle:                  Silent,       Everywhere, "The ID is sent to bedrock-mantle, or served by bedrock-mantle alone, which accepts direct IDs only.",
        GatewayClient:           Silent,       Everywhere, "The ID is sent to a gateway, which defines its own model names.",
        OtherCloud:              Silent,       Everywhere, "The route before the ID leads to another provider.",
        Batch:                   Silent,       Everywhere, "The ID is used by a batch, asynchronous or tuning call, for which other rules apply.",
        DirectIdOnly:            Silent,       Everywhere, "The ID is used by a call that accepts direct IDs only, such as `get-foundation-model` or `count-tokens`.",
        CustomResource:          Silent,       Everywhere, "The ID is in a custom resource, whose fields only its controller interprets.",
        Secret:                  Silent,       Everywhere, "The ID is in a Secret, which is not read in the cluster and never changed.",
        WrittenByTool:           Silent,       Everywhere, "A tool writes the file and would reject or overwrite an edit: it is encrypted, recorded, locked or generated.",
        UnknownFormat:           Silent,       Everywhere, "The text around the ID is in no format that can be edited safely.",
        SharedAnchor:            Silent,       Everywhere, "The ID is shared through a YAML anchor whose uses need different IDs.",
        Unmappable:              Silent,       Everywhere, "The ID is written with escapes or over several lines, or in YAML that parsers read differently, so that its position in the source is uncertain.",
    }
    Object {
        Immutable:               Silent,       Everywhere, "The object is immutable.",
        Tracked:                 Silent,       Everywhere, "Another controller tracks the object and would undo the change or report it as drift.",
        TooLarge:                Silent,       Everywhere, "The object is larger than a review evaluates, or the change would make it larger than the API server accepts.",
        OptedOut:                Silent,       Everywhere, "The object or its namespace has opted out by annotation.",
    }
    Policy {
        NotIncluded:             Silent,       Everywhere, "The policy does not include the model.",
        Excluded:                Silent,       Everywhere, "The policy excludes the model or this kind of object.",
    }
    Model {
        UnknownModel:            Unresolved,   Everywhere, "No mapping contains the ID."
            => "no mapping lists this model",
        Unverified:              Unresolved,   Everywhere, "The model is known, but no scan has found its profiles."
            => "its profiles are not verified yet",
        NeverHadProfile:         Silent,       Everywhere, "The model is known and has no inference profile.",
    }
    Region {
        NoRegion:                Unresolved,   Region,     "No source sets the region."
            => "no region is set",
        RegionOutOfSight:        Unresolved,   Region,     "The region comes from a source that cannot be read."
            => "its region cannot be read here",
        RegionConflict:          Unresolved,   Region,     "Two settings name different regions, and clients differ in which setting they use."
            => "two region settings differ",
        NotARegion:              Unresolved,   Region,     "The name of the region matches no AWS partition."
            => "its region is not an AWS region",
        RegionUnknown:           Unresolved,   Region,     "No scan covers this model in this region."
            => "no mapping covers it in this region",
    }
    Reference {
        ReferenceUnseen:         Silent,       Everywhere, "The text comes from a ConfigMap that has not been observed yet.",
        MayBeShadowed:           Silent,       Everywhere, "A later source that cannot be read may define the same variable.",
        OutOfSight:              Silent,       Everywhere, "The text comes from a source that is not read.",
    }
    Rows {
        WorksDirectly:           Silent,       Region,     "The direct ID works in this region.",
        EndOfLife:               EndOfLife,    Region,     "The model has reached its end of life in this region, and a profile does not change that.",
        OnlyGlobalServes:        Unresolved,   Region,     "Only a global profile serves this region, and the policy does not use global profiles."
            => "only a global profile serves (geography.global)",
        NothingServes:           Unresolved,   Region,     "No profile of this model serves this region."
            => "no inference profile serves this region",
        GeographyNotAllowed:     Unresolved,   Region,     "The profile may route to another jurisdiction, and the policy does not allow its geography."
            => "its profile may route to another jurisdiction",
        DestinationNotAllowed:   Unresolved,   Region,     "The profile may route to a region that the policy does not allow."
            => "its profile may route to a region that is not allowed",
        DestinationsUnknown:     Unresolved,   Region,     "The regions to which the profile may route are unknown."
            => "the destinations of its profile are unknown",
        ReplacementNotServed:    Unresolved,   Region,     "The replacement that the policy names is not served in this region."
            => "its replacement is not served in this region",
        OverrideNeedsWholeValue: Unresolved,   Region,     "The override is an ARN, which can only replace a whole value."
            => "the override is an ARN, which replaces whole values only",
    }
}

impl Reason {
    /// Whether the ID cannot work and no target that the policy permits serves it. The policy's `unresolved` applies to
    /// these reasons and may deny the object.
    ///
    /// Never true if only knowledge is missing (an unknown model or region, an unverified profile): the launch of a model
    /// must not cause an outage.
    pub const fn is_unresolved(self) -> bool {
        matches!(self.group(), Group::Rows) && !matches!(self, Self::WorksDirectly)
    }

    /// Whether the text of an ID configures no call of Amazon Bedrock: it is prose, a name for something else, or of another API.
    pub const fn is_no_call(self) -> bool {
        matches!(
            self,
            Self::ClientAlias
                | Self::MapKey
                | Self::PriceTable
                | Self::RoutingMatch
                | Self::Dashboard
                | Self::IamDocument
                | Self::Prose
                | Self::GatewayClient
                | Self::OtherCloud
        )
    }

    /// The reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == name)
    }

    /// Whether the result may differ in another region.
    pub fn depends_on_the_region(self) -> bool {
        self.scope() == ReasonScope::Region
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_sorted_by_the_precedence_of_their_groups() {
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.group()));
        assert!(Reason::ALL.is_sorted());
    }

    #[test]
    fn an_unknown_model_or_region_is_never_unresolved() {
        for reason in Reason::ALL {
            if reason.is_unresolved() {
                assert_eq!(reason.group(), Group::Rows, "{reason}");
            }
        }
        assert!(!Reason::WorksDirectly.is_unresolved());
    }

    #[test]
    fn an_unresolved_reason_has_a_warning() {
        for reason in Reason::ALL.iter().copied() {
            if reason.is_unresolved() {
                assert_ne!(reason.warning(), ReasonWarning::Silent, "{reason}");
            }
        }
    }

    #[test]
    fn what_the_mapping_and_the_region_decide_depends_on_the_region() {
        for reason in Reason::ALL.iter().copied() {
            if matches!(reason.group(), Group::Region | Group::Rows) {
                assert!(reason.depends_on_the_region(), "{reason}");
            }
        }
        assert!(!Reason::InArn.depends_on_the_region());
    }

    #[test]
    fn every_description_ends_with_a_dot() {
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| reason.description().ends_with('.'))
        );
    }
}
