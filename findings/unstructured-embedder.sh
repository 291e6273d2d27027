#!/usr/bin/env bash
# Unstructured's embedder has a setting for an inference profile, and it can never work.
#
# Packages: PyPI unstructured-ingest 1.12.0, boto3 1.44.8, numpy 2.2.6 (needed, but not in the
# package's `bedrock` extra).
#
# Behaviour: BEDROCK_INFERENCE_PROFILE_ID (or inference_profile_id) is sent as a parameter
# inferenceProfileId of InvokeModel. That API has no such parameter, so boto3 raises
# ParamValidationError before any request; the variable alone is enough. The profile ID as the model
# name is refused by the precheck, which looks for it in ListFoundationModels. Without the precheck it is
# called with the request body of Titan, as the text before the first dot is taken for the provider.
# The precheck refuses an ARN too: it joins the characters of each known ARN with colons.
#
# An engineer would expect: the setting that is named after the profile to be the right way, and to
# set the model ID of the call.
#
# Why it matters: the variable's name says that the application handles profiles itself, so the
# model ID beside it looks finished. The profile ID has to be the model name, with the precheck off,
# and only Titan's request format is then right. The region is BEDROCK_REGION_NAME, then
# AWS_DEFAULT_REGION, then us-west-2; AWS_REGION is not read.
#
# Output seen on 2026-11-30, for Cohere Embed v4, with AWS_REGION=eu-west-1 and a stub on loopback:
#   model name / setting                                   precheck   call
#   cohere.embed-v4:0                                      ok         input_type, texts; us-west-2
#   cohere.embed-v4:0 / BEDROCK_INFERENCE_PROFILE_ID       ok         ParamValidationError
#   us.cohere.embed-v4:0                                   UserError  inputText; us-west-2
#   arn:aws:bedrock:…::foundation-model/cohere.embed-v4:0  UserError  inputText; us-west-2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check unstructured-ingest==1.12.0 boto3==1.44.8 numpy==2.2.6
unset BEDROCK_REGION_NAME BEDROCK_INFERENCE_PROFILE_ID AWS_DEFAULT_REGION AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK
unset HTTP_PROXY HTTPS_PROXY http_proxy https_proxy
export AWS_REGION=eu-west-1 AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
export AWS_EC2_METADATA_DISABLED=true
venv/bin/python - > seen 2> log <<'EOF' || { cat log >&2; exit 1; }
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from unstructured_ingest.embed.bedrock import BedrockEmbeddingConfig, BedrockEmbeddingEncoder

MODEL = "cohere.embed-v4:0"
ARN = f"arn:aws:bedrock:us-west-2::foundation-model/{MODEL}"
calls = []

class Stub(BaseHTTPRequestHandler):
    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer({"modelSummaries": [{"modelId": MODEL, "modelArn": ARN}]})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        region = self.headers["Authorization"].split("Credential=")[1].split("/")[2]
        calls.append(f"{', '.join(sorted(request))}; {region}")
        self.answer({"embeddings": [[0.5]], "embedding": [0.5]})

    def log_message(self, *_):
        pass

stub = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
threading.Thread(target=stub.serve_forever, daemon=True).start()

def outcome(call):
    try:
        call()
        return "ok"
    except Exception as error:
        return type(error).__name__

def show(name, model):
    encoder = BedrockEmbeddingEncoder(
        config=BedrockEmbeddingConfig(
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="example",
            model_name=model,
            endpoint_url=f"http://127.0.0.1:{stub.server_port}",
        )
    )
    calls.clear()
    precheck, call = outcome(encoder.precheck), outcome(lambda: encoder.embed_query("hi"))
    print(f"{name} | {precheck} | {calls[0] if call == 'ok' else call}")

show("model", MODEL)
show("profile as the model", f"us.{MODEL}")
show("ARN", ARN)
os.environ["BEDROCK_INFERENCE_PROFILE_ID"] = f"us.{MODEL}"
show("model and BEDROCK_INFERENCE_PROFILE_ID", MODEL)
EOF
diff - seen <<'EOF'
model | ok | input_type, texts; us-west-2
profile as the model | UserError | inputText; us-west-2
ARN | UserError | inputText; us-west-2
model and BEDROCK_INFERENCE_PROFILE_ID | ok | ParamValidationError
EOF
echo "ok: Unstructured's embedder fails with BEDROCK_INFERENCE_PROFILE_ID, and with a profile as the model"
