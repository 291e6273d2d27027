//! The names of AWS services other than Bedrock's runtime. A region of another service says nothing about Bedrock.

use crate::domain::name_words::NameWords;

/// The names of services: those of botocore 1.44.8 without separators and versions, and names in common use. Names that are
/// also ordinary words are omitted, because they may name a part of an application: `account`, `backup`, `config`, `events`.
pub const OTHER_SERVICES: &[&str] = &[
    "accessanalyzer",
    "acm",
    "agentcore",
    "apigateway",
    "appconfig",
    "appflow",
    "appmesh",
    "apprunner",
    "appstream",
    "appsync",
    "athena",
    "auditmanager",
    "backupgateway",
    "billingconductor",
    "cloud9",
    "cloudcontrol",
    "clouddirectory",
    "cloudformation",
    "cloudfront",
    "cloudhsm",
    "cloudsearch",
    "cloudtrail",
    "cloudwatch",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codedeploy",
    "codeguru",
    "codepipeline",
    "cognito",
    "comprehendmedical",
    "controltower",
    "databrew",
    "dataexchange",
    "datapipeline",
    "datasync",
    "datazone",
    "dax",
    "devicefarm",
    "directconnect",
    "dms",
    "docdb",
    "documentdb",
    "dsql",
    "dynamo",
    "dynamodb",
    "ebs",
    "ec2",
    "ecr",
    "ecs",
    "efs",
    "eks",
    "elasticache",
    "elasticbeanstalk",
    "elasticloadbalancing",
    "elasticsearch",
    "elastictranscoder",
    "elb",
    "elbv2",
    "emr",
    "entityresolution",
    "eventbridge",
    "finspace",
    "firehose",
    "frauddetector",
    "fsx",
    "gamelift",
    "glacier",
    "globalaccelerator",
    "greengrass",
    "groundstation",
    "guardduty",
    "healthlake",
    "iam",
    "imagebuilder",
    "ivs",
    "kafka",
    "kendra",
    "keyspaces",
    "kinesis",
    "kinesisanalytics",
    "kinesisvideo",
    "kms",
    "lakeformation",
    "lambda",
    "lexruntime",
    "lexv2",
    "lightsail",
    "managedblockchain",
    "mediaconvert",
    "medialive",
    "mediapackage",
    "mediastore",
    "mediatailor",
    "memorydb",
    "msk",
    "mturk",
    "mwaa",
    "networkfirewall",
    "opensearch",
    "opensearchserverless",
    "opensearchservice",
    "parameterstore",
    "polly",
    "qbusiness",
    "quicksight",
    "rds",
    "redshift",
    "rekognition",
    "resourcegroups",
    "rolesanywhere",
    "route53",
    "s3",
    "s3control",
    "s3tables",
    "s3vectors",
    "sagemaker",
    "secretsmanager",
    "securityhub",
    "securitylake",
    "servicecatalog",
    "servicediscovery",
    "ses",
    "sesv2",
    "simpledb",
    "sns",
    "sqs",
    "ssm",
    "sso",
    "stepfunctions",
    "storagegateway",
    "sts",
    "swf",
    "textract",
    "timestream",
    "trustedadvisor",
    "verifiedpermissions",
    "vpclattice",
    "waf",
    "wafv2",
    "workmail",
    "xray",
];

/// The maximum number of words of a service's name: `SECRETS_MANAGER`, `EVENT_BRIDGE`.
const MOST_WORDS: usize = 3;

/// Whether a name has the name of a service other than Bedrock's runtime, as one word or several.
pub(super) fn names_other_service(words: &NameWords<'_>) -> bool {
    let mut name = String::new();
    let mut is_service = |some: &[&str]| {
        name.clear();
        name.extend(some.iter().copied());
        name.make_ascii_lowercase();
        OTHER_SERVICES.binary_search(&&*name).is_ok()
    };
    (1..=MOST_WORDS).any(|count| words.windows(count).any(&mut is_service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_sorted() {
        assert!(OTHER_SERVICES.is_sorted());
    }

    #[test]
    fn services_are_recognised_as_one_word_or_several() {
        for name in [
            "S3_REGION",
            "s3Region",
            "sqs-region",
            "AWS_SES_REGION",
            "SECRETS_MANAGER_REGION",
            "secretsmanager.region",
            "DYNAMO_DB_REGION",
            "EVENT_BRIDGE_REGION",
        ] {
            assert!(names_other_service(&NameWords::of(name)), "{name}");
        }
    }

    #[test]
    fn ordinary_words_are_no_services() {
        for name in [
            "ACCOUNT_REGION",
            "BACKUP_REGION",
            "BATCH_REGION",
            "CHATBOT_REGION",
            "CONFIG_REGION",
            "CONNECT_REGION",
            "EVENTS_REGION",
            "LOCATION_REGION",
            "LOGS_REGION",
            "SUPPORT_REGION",
            "TRANSLATE_REGION",
            "AWS_REGION",
            "BEDROCK_RUNTIME_REGION",
            "NOVA_REGION",
        ] {
            assert!(!names_other_service(&NameWords::of(name)), "{name}");
        }
    }
}
