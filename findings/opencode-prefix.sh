#!/usr/bin/env bash
# opencode puts `apac.` before a profile ID of India.
#
# Package: npm opencode-linux-x64 (or -arm64) 1.18.33, the program of opencode-ai.
#
# Behaviour: opencode adds a geography to model IDs by the region, unless the ID begins with global.,
# us., eu., jp., apac. or au. The geography `in.` is not in that list, so in ap-south-1 a Claude
# profile ID gets a second prefix. For a direct ID of Claude it builds `apac.` in ap-south-1, also for
# models that have no such profile, and nothing in eu-central-2.
#
# An engineer would expect: a profile ID to be sent as it is written, as with au. or us-gov. IDs.
#
# Why it matters: in.anthropic.… are the profiles of Claude that stay in India. opencode calls an ID
# that does not exist and that no configuration contains. There, use the profile's ARN, which opencode
# leaves alone.
#
# Output seen on 2026-11-30 (path of the request at a stub on loopback; M is
# anthropic.claude-haiku-4-5-20251001-v1:0):
#   region          configured                          called
#   ap-south-1      in.M                                apac.in.M
#   ap-south-1      M                                   apac.M (no such profile)
#   ap-southeast-2  au.M                                au.M
#   eu-central-2    M                                   M
#   ap-south-1      arn:aws:bedrock:…/in.M              the same
set -euo pipefail
work=$(mktemp -d)
stub=
trap '[ -z "$stub" ] || kill "$stub"; rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --prefix . "opencode-linux-$(node -p process.arch)@1.18.33" > /dev/null
cat > stub.py <<'EOF'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

class Stub(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with open("calls", "a") as calls:
            print(unquote(self.path.split("/")[2]), file=calls)
        text = b'{"message":"stub"}'
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("x-amzn-errortype", "ValidationException")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
print(server.server_port, flush=True)
server.serve_forever()
EOF
mkfifo started
python3 stub.py > started &
stub=$!
read -r port < started

mkdir home project
show() { # region, model ID
	cat > project/opencode.json <<-EOF
	{"autoupdate": false, "share": "disabled", "model": "amazon-bedrock/$2", "small_model": "amazon-bedrock/$2",
	 "provider": {"amazon-bedrock": {"models": {"$2": {"name": "probe"}},
	   "options": {"region": "$1", "endpoint": "http://127.0.0.1:$port"}}}}
	EOF
	: > calls
	# Everything but the stub is out of reach: the proxy is a closed port on loopback.
	(
		cd project
		env -i PATH="$PATH" HOME="$work/home" AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example \
			HTTP_PROXY=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 \
			OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_DEFAULT_PLUGINS=1 \
			timeout 40 ../node_modules/opencode-linux-*/bin/opencode run hi > ../log 2>&1 < /dev/null
	) || true # the stub refuses every call
	echo "$1 $2 -> $(sort -u calls | tr '\n' ' ')"
}
model=anthropic.claude-haiku-4-5-20251001-v1:0
show eu-west-1 $model > /dev/null # the first start creates opencode's database
{
	show ap-south-1 in.$model
	show ap-south-1 $model
	show ap-southeast-2 au.$model
	show eu-central-2 $model
	show ap-south-1 arn:aws:bedrock:ap-south-1:123456789012:inference-profile/in.$model
} | sed "s/$model/M/g; s/ *$//" > seen
diff - seen <<'EOF'
ap-south-1 in.M -> apac.in.M
ap-south-1 M -> apac.M
ap-southeast-2 au.M -> au.M
eu-central-2 M -> M
ap-south-1 arn:aws:bedrock:ap-south-1:123456789012:inference-profile/in.M -> arn:aws:bedrock:ap-south-1:123456789012:inference-profile/in.M
EOF
echo "ok: opencode calls apac.in.anthropic.… for in.anthropic.…, and leaves au. and ARNs alone"
