#!/usr/bin/env bash
# The AWS CLI names the token of a list that is not complete in two ways, `NextToken` and `nextToken`.
#
# Package: awscli 1.46.3 from PyPI, against a stand-in of Amazon Bedrock on loopback.
#
# Behaviour: by default all pages are read and merged, without a token. With --no-paginate the output
# is the first page as the API sends it, with `nextToken`. With --max-items the output ends after so
# many entries, and has `NextToken`: a token of the CLI's own, which no API takes. Each exits with 0.
#
# An engineer would expect: the field that the API's model names (nextToken), whoever cuts the list.
#
# Why it matters: a job that lists the inference profiles of a region, and calls the list complete if
# it has no `nextToken`, takes a part for the whole. A profile that is only not listed then counts as
# withdrawn. Look for both names, or use neither flag.
#
# Output seen on 2026-12-01, entries and keys of list-inference-profiles with two pages of one entry:
#   default           2 inferenceProfileSummaries
#   --no-paginate     1 inferenceProfileSummaries nextToken
#   --max-items 1     1 NextToken inferenceProfileSummaries
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"; if [ -n "${server:-}" ]; then kill "$server"; fi' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check awscli==1.46.3

cat > bedrock.py <<'EOF'
import http.server
import json
import urllib.parse

REGION = "eu-west-1"
IDS = ["eu.anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6"]


def profile(name):
    model = name.partition(".")[2]
    return {
        "inferenceProfileId": name,
        "inferenceProfileName": name,
        "inferenceProfileArn": f"arn:aws:bedrock:{REGION}:111122223333:inference-profile/{name}",
        "models": [{"modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{model}"}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        page = int(query.get("nextToken", ["0"])[0])
        body = {"inferenceProfileSummaries": [profile(IDS[page])]}
        if page + 1 < len(IDS):
            body["nextToken"] = str(page + 1)
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
print(server.server_address[1], flush=True)
server.serve_forever()
EOF
python3 bedrock.py > port &
server=$!
until [ -s port ]; do sleep 0.1; done

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=
list() {
	local name=$1
	shift
	venv/bin/aws bedrock list-inference-profiles --endpoint-url "http://127.0.0.1:$(cat port)" --output json "$@" |
		python3 -c '
import json, sys
answer = json.load(sys.stdin)
print(f"{sys.argv[1]:<17}", len(answer["inferenceProfileSummaries"]), *sorted(answer))' "$name"
}
{
	list default
	list --no-paginate --no-paginate
	list '--max-items 1' --max-items 1
} | tee seen
diff - seen <<'EOF'
default           2 inferenceProfileSummaries
--no-paginate     1 inferenceProfileSummaries nextToken
--max-items 1     1 NextToken inferenceProfileSummaries
EOF
