//! Why a model ID is unchanged: one closed enum, the same value in metrics, warnings, reports and on the command line.

use std::fmt;

/// The order in which reasons are asked: where several hold, the first group that has one decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The syntax and the context of the text.
    Shape,
    /// What is true of the whole object.
    Object,
    /// What the policy includes.
    Policy,
    /// What is known of the model.
    Model,
    /// Whether the region is known.
    Region,
    /// Whether the text comes from another object.
    Reference,
    /// What the mapping's rows and the policy's rules say of the (model, region) pair.
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

            /// The name: metric label, report entry, command-line output.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)+)+ }
            }

            /// One sentence for a reader who meets the name for the first time.
            pub const fn sentence(self) -> &'static str {
                match self { $($(Self::$name => $sentence,)+)+ }
            }

            /// The group, which orders the questions.
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
        NeverExisted: "No profile of this model with this prefix has ever been seen.",
        DoublePrefix: "The ID carries two prefixes, which no profile has.",
        InArn: "The ID is inside an ARN, which names an account's resource and is never edited.",
        PercentEncoded: "The ID is percent-encoded, as in a URL.",
        ProvisionedSuffix: "The ID carries a size suffix or a commitment, as provisioned throughput does.",
        ListLeft: "The ID is in a list, which other data may have to equal.",
        ClientAlias: "The text is the name by which clients ask a gateway for a model.",
        MapKey: "The ID is a key, by which something is looked up.",
        PriceTable: "The ID is in a table of prices or costs.",
        RoutingMatch: "The ID is compared with what clients send.",
        Dashboard: "The ID selects a metric in a dashboard or an alert.",
        IamDocument: "The ID is in an IAM policy document.",
        Prose: "The ID is in prose or a comment.",
        ExplicitProfile: "A profile is named beside the ID, and the application uses that.",
        PrefixedByTool: "The tool puts the prefix before the ID itself.",
        Mantle: "The ID is sent to bedrock-mantle, which takes direct IDs only.",
        GatewayClient: "The ID is sent to a gateway, for which it is a name of its own.",
        OtherCloud: "The route before the ID leads to another provider.",
        Batch: "The ID is used by a batch, an asynchronous or a tuning call, which has rules of its own.",
        CustomResource: "The ID is in a custom resource, whose fields are its controller's.",
        UnknownFormat: "The text around the ID is of no format that can be edited safely.",
        SharedAnchor: "The ID is shared by an anchor whose uses would need different answers.",
        Unmappable: "The ID is written with escapes or over lines, so that its place in the source is not certain.",
    }
    Object {
        Immutable: "The object is immutable.",
        Tracked: "Another controller tracks the object and would undo the change or report it as drift.",
        TooLarge: "The object would grow beyond what the API server stores.",
        OptedOut: "The object or its namespace has opted out by annotation.",
    }
    Policy {
        NotIncluded: "The policy does not include the model.",
        Excluded: "The policy excludes the model or this kind of place.",
    }
    Model {
        UnknownModel: "No mapping knows the ID.",
        Unverified: "The model is known, its profiles have not been seen by any scan yet.",
        NeverHadProfile: "The model is known and has no inference profile.",
    }
    Region {
        NoRegion: "Nothing says which region the workload calls.",
        RegionOutOfSight: "The region comes from a source that cannot be read here.",
        RegionConflict: "Two settings name different regions, and clients disagree which one counts.",
        NotARegion: "The region's name fits no AWS partition.",
        RegionUnknown: "Nothing is known of this model in this region.",
    }
    Reference {
        ReferenceUnseen: "The text comes from a ConfigMap that has not been seen yet.",
        MayBeShadowed: "A later source that cannot be read may define the same variable.",
        OutOfSight: "The text comes from a source that is not read.",
    }
    Rows {
        WorksDirectly: "The direct ID works in this region.",
        EndOfLife: "The model has reached its end of life here, and no profile cures that.",
        OnlyGlobalServes: "Only a global profile serves here, and the policy does not use it.",
        NothingServes: "No profile of this model serves here.",
        GeographyNotAllowed: "The profile may route to another jurisdiction, and the policy does not allow its geography.",
        DestinationNotAllowed: "The profile may route to a region that the policy does not allow.",
        DestinationsUnknown: "It is not known where the profile may route.",
        ReplacementNotServed: "The replacement that the policy names is not served here.",
        OverrideNeedsWholeValue: "The policy's override is an ARN, which can only stand as a whole value.",
    }
}

impl Reason {
    /// Whether the ID cannot work and nothing that the policy permits serves it: what `unresolved` speaks of and may deny.
    ///
    /// Never true for what is merely unknown (a model, a region, an unverified profile): a launch day must not be an outage.
    pub const fn is_unresolved(self) -> bool {
        matches!(self.group(), Group::Rows) && !matches!(self, Self::WorksDirectly)
    }

    /// Whether another region could give another answer.
    pub const fn depends_on_the_region(self) -> bool {
        matches!(self.group(), Group::Region | Group::Rows)
            || matches!(
                self,
                Self::AlreadyProfiled | Self::ProfileNotServed | Self::ProfileNotPermitted
            )
    }

    /// Whether the author should be warned although nothing may be denied.
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
    fn groups_stand_in_their_order_of_precedence() {
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.group()));
        assert!(Reason::ALL.is_sorted());
    }

    #[test]
    fn what_is_merely_unknown_is_never_unresolved() {
        for reason in Reason::ALL {
            if reason.is_unresolved() {
                assert_eq!(reason.group(), Group::Rows, "{reason}");
            }
        }
        assert!(!Reason::WorksDirectly.is_unresolved());
    }

    #[test]
    fn every_sentence_ends_with_a_dot() {
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| reason.sentence().ends_with('.'))
        );
    }
}
