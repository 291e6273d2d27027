#!/usr/bin/env bash
# parliament finds a mismatch in every least-privilege policy for an inference profile.
#
# Package: PyPI parliament 1.6.4, a linter of IAM policies.
#
# Behaviour: bedrock:InvokeModel works on one of eight types of resources (profile, application
# profile, foundation model, provisioned model …). parliament's data marks all eight as required, so a
# statement needs an ARN of each. A statement with the profile, with the foundation model, or with
# both gets RESOURCE_MISMATCH, of severity MEDIUM and group MALFORMED. Only `"Resource": "*"` is free
# of it, and gets RESOURCE_STAR, of severity LOW. bedrock:GetInferenceProfile is the same: it wants an
# application profile beside the system-defined one.
#
# An engineer would expect: no finding, as for s3:GetObject on one bucket; RESOURCE_MISMATCH means
# "no resources match for the given action", and the ARNs do match.
#
# Why it matters: a move from direct IDs to profiles needs new statements in IAM policies, for the
# profile and for the model in all its destination regions. A pipeline with this linter refuses the
# narrow statements sooner than the wide one. Do not widen the policy: ignore RESOURCE_MISMATCH for
# these statements in parliament's configuration.
#
# Output seen on 2026-11-30:
#   profile                        RESOURCE_MISMATCH
#   foundation model               RESOURCE_MISMATCH
#   profile and foundation model   RESOURCE_MISMATCH
#   model, only through a profile  RESOURCE_MISMATCH
#   *, only through a profile      RESOURCE_STAR
#   GetInferenceProfile            RESOURCE_MISMATCH
#   s3:GetObject                   (none)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'setuptools<81' parliament==1.6.4
venv/bin/python -W ignore - > seen <<'EOF'
import json
from parliament import analyze_policy_string

PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
MODEL = "arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
THROUGH = {"ArnEquals": {"bedrock:InferenceProfileArn": PROFILE}}

def show(name, action, resource, condition=None):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    if condition:
        statement["Condition"] = condition
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    issues = {finding.issue for finding in analyze_policy_string(json.dumps(policy)).findings}
    print(f"{name}: {', '.join(sorted(issues)) or '(none)'}")

show("profile", "bedrock:InvokeModel", PROFILE)
show("foundation model", "bedrock:InvokeModel", MODEL)
show("profile and foundation model", "bedrock:InvokeModel", [PROFILE, MODEL])
show("model, only through a profile", "bedrock:InvokeModel", MODEL, THROUGH)
show("*, only through a profile", "bedrock:InvokeModel", "*", THROUGH)
show("GetInferenceProfile", "bedrock:GetInferenceProfile", PROFILE)
show("s3:GetObject", "s3:GetObject", "arn:aws:s3:::bucket/*")
EOF
diff - seen <<'EOF'
profile: RESOURCE_MISMATCH
foundation model: RESOURCE_MISMATCH
profile and foundation model: RESOURCE_MISMATCH
model, only through a profile: RESOURCE_MISMATCH
*, only through a profile: RESOURCE_STAR
GetInferenceProfile: RESOURCE_MISMATCH
s3:GetObject: (none)
EOF
echo "ok: parliament finds RESOURCE_MISMATCH in narrow policies for an inference profile"
