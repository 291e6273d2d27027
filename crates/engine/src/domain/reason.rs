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

macro_rules! reasons {
    ($($group:ident { $($name:ident: $sentence:literal,)+ })+) => {
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
        }
    };
}

reasons! {
    Shape {
        AlreadyProfiled: "The ID already names an inference profile.",
        ProfileNotServed: "The ID names a profile that does not serve the workload's region.",
        ProfileNotPermitted: "The ID names a profile that the policy would not permit.",
        NeverExisted: "No scan has found a profile of this model with this prefix.",
        DoublePrefix: "The ID has two prefixes, but every profile has exactly one.",
        InArn: "The ID is inside an ARN, which names an account's resource and is never edited.",
        PercentEncoded: "The ID is percent-encoded, as in a URL.",
        ProvisionedSuffix: "The ID has a size suffix or a commitment, as for provisioned throughput.",
        ListLeft: "The ID is in a list, which other data may have to match.",
        ClientAlias: "The text is the name under which clients request a model from a gateway.",
        MapKey: "The ID is a key of a lookup table.",
        PriceTable: "The ID is in a table of prices or costs.",
        RoutingMatch: "The ID is compared with the model that clients request.",
        Dashboard: "The ID selects a metric in a dashboard or an alert.",
        IamDocument: "The ID is in an IAM policy document.",
        Prose: "The ID is in prose or a comment.",
        ExplicitProfile: "A profile is named beside the ID, and the application uses the profile.",
        PrefixedByTool: "The tool adds the prefix to the ID by itself.",
        Mantle: "The ID is sent to bedrock-mantle, which accepts direct IDs only.",
        GatewayClient: "The ID is sent to a gateway, which defines its own model names.",
        OtherCloud: "The route before the ID leads to another provider.",
        Batch: "The ID is used by a batch, asynchronous or tuning call, for which other rules apply.",
        CustomResource: "The ID is in a custom resource, whose fields only its controller interprets.",
        UnknownFormat: "The text around the ID is in no format that can be edited safely.",
        SharedAnchor: "The ID is shared through a YAML anchor whose uses need different IDs.",
        Unmappable: "The ID is written with escapes or over several lines, so that its position in the source is uncertain.",
    }
    Object {
        Immutable: "The object is immutable.",
        Tracked: "Another controller tracks the object and would undo the change or report it as drift.",
        TooLarge: "The change would make the object larger than the API server accepts.",
        OptedOut: "The object or its namespace has opted out by annotation.",
    }
    Policy {
        NotIncluded: "The policy does not include the model.",
        Excluded: "The policy excludes the model or this kind of object.",
    }
    Model {
        UnknownModel: "No mapping contains the ID.",
        Unverified: "The model is known, but no scan has found its profiles.",
        NeverHadProfile: "The model is known and has no inference profile.",
    }
    Region {
        NoRegion: "No source sets the region.",
        RegionOutOfSight: "The region comes from a source that cannot be read.",
        RegionConflict: "Two settings name different regions, and clients differ in which setting they use.",
        NotARegion: "The name of the region matches no AWS partition.",
        RegionUnknown: "No scan covers this model in this region.",
    }
    Reference {
        ReferenceUnseen: "The text comes from a ConfigMap that has not been observed yet.",
        MayBeShadowed: "A later source that cannot be read may define the same variable.",
        OutOfSight: "The text comes from a source that is not read.",
    }
    Rows {
        WorksDirectly: "The direct ID works in this region.",
        EndOfLife: "The model has reached its end of life in this region, and a profile does not change that.",
        OnlyGlobalServes: "Only a global profile serves this region, and the policy does not use global profiles.",
        NothingServes: "No profile of this model serves this region.",
        GeographyNotAllowed: "The profile may route to another jurisdiction, and the policy does not allow its geography.",
        DestinationNotAllowed: "The profile may route to a region that the policy does not allow.",
        DestinationsUnknown: "The regions to which the profile may route are unknown.",
        ReplacementNotServed: "The replacement that the policy names is not served in this region.",
        OverrideNeedsWholeValue: "The override is an ARN, which can only replace a whole value.",
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

    /// Whether the result may differ in another region.
    pub const fn depends_on_the_region(self) -> bool {
        matches!(self.group(), Group::Region | Group::Rows)
            || matches!(
                self,
                Self::AlreadyProfiled | Self::ProfileNotServed | Self::ProfileNotPermitted
            )
    }

    /// Whether the webhook warns about the finding, even where it may not deny the object.
    pub const fn is_worth_a_warning(self) -> bool {
        self.is_unresolved()
            || matches!(
                self,
                Self::NeverExisted
                    | Self::DoublePrefix
                    | Self::ProfileNotServed
                    | Self::InArn
                    | Self::PercentEncoded
                    | Self::UnknownModel
                    | Self::Unverified
                    | Self::NoRegion
                    | Self::RegionOutOfSight
                    | Self::RegionConflict
                    | Self::NotARegion
                    | Self::RegionUnknown
            )
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
    fn every_description_ends_with_a_dot() {
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| reason.description().ends_with('.'))
        );
    }
}
