//! The sources of a region, in order of precedence.

use std::fmt;

use super::Region;

/// The source of a region. The order of the variants is the order of precedence, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegionSource {
    /// In the value itself (`bedrock/us-east-1/…`).
    InValue,
    /// Beside the ID: a flag or an assignment of the same command, a key of the same mapping or of a branch of it.
    Beside,
    /// The object's annotation.
    ObjectAnnotation,
    /// A variable of the same container.
    ContainerEnv,
    /// A key of an enclosing mapping in the same document.
    Document,
    /// Another key of the same ConfigMap.
    ConfigMapKey,
    /// The namespace's annotation.
    NamespaceAnnotation,
    /// The policy's default.
    PolicyDefault,
    /// The region that all nodes of the cluster agree on.
    Cluster,
    /// The region that the command line assumes.
    Assumed,
}

impl RegionSource {
    /// Every source, the strongest first.
    pub const ALL: &[Self] = &[
        Self::InValue,
        Self::Beside,
        Self::ObjectAnnotation,
        Self::ContainerEnv,
        Self::Document,
        Self::ConfigMapKey,
        Self::NamespaceAnnotation,
        Self::PolicyDefault,
        Self::Cluster,
        Self::Assumed,
    ];

    /// The name in reports and in the annotation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InValue => "InValue",
            Self::Beside => "Beside",
            Self::ObjectAnnotation => "ObjectAnnotation",
            Self::Document => "Document",
            Self::ContainerEnv => "ContainerEnv",
            Self::ConfigMapKey => "ConfigMapKey",
            Self::NamespaceAnnotation => "NamespaceAnnotation",
            Self::PolicyDefault => "PolicyDefault",
            Self::Cluster => "Cluster",
            Self::Assumed => "Assumed",
        }
    }

    /// A description for users, which completes "the region is taken from".
    pub const fn description(self) -> &'static str {
        match self {
            Self::InValue => {
                "in the value itself: `bedrock/REGION/…`, or an address of Bedrock's runtime."
            }
            Self::Beside => {
                "beside the ID: a flag or an assignment of the same command, or a key of the same mapping or of a branch of it."
            }
            Self::ObjectAnnotation => {
                concat!("the object's annotation `", in_group!("region"), "`.")
            }
            Self::ContainerEnv => "a variable or a flag of the same container.",
            Self::Document => {
                "a key of an enclosing mapping in the same document, or of a branch of it."
            }
            Self::ConfigMapKey => "another key of the same ConfigMap.",
            Self::NamespaceAnnotation => {
                concat!("the namespace's annotation `", in_group!("region"), "`.")
            }
            Self::PolicyDefault => "the policy's `region.default`.",
            Self::Cluster => "the region that all nodes of the cluster agree on.",
            Self::Assumed => "`--region` of `audit` and `fix`.",
        }
    }

    /// Whether no source that another webhook may inject later takes precedence.
    pub fn is_settled(self) -> bool {
        self <= Self::ConfigMapKey
    }
}

/// A region and the source that sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChosenRegion {
    /// The region.
    pub region: Region,
    /// The source that sets it.
    pub source: RegionSource,
}

/// `eu-west-1 (ContainerEnv)`.
impl fmt::Display for ChosenRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.region, self.source)
    }
}

impl fmt::Display for RegionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
