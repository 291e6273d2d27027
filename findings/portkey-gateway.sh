#!/usr/bin/env bash
# Portkey's gateway drops Claude's own settings for in. and us-gov. profile IDs.
#
# Package: npm @portkey-ai/gateway 1.15.2.
#
# Behaviour: the gateway takes the text before the first dot for the provider, after it has removed
# us., eu., apac., au., ca., jp. or global. Two geographies of Bedrock are not among them, so for
# `in.anthropic.…` and `us-gov.anthropic.…` it leaves out what only Claude has: thinking, top_k,
# anthropic_beta. The answer is a 200 without a warning.
#
# An engineer would expect: the same request as for the direct ID, or an error. That jp., au. and ca.
# work says that the gateway knows profiles.
#
# Why it matters: after the move from a direct ID to the profile of India or GovCloud, extended
# thinking and beta features are off, and only the quality of the answers shows it.
#
# Output seen on 2026-11-30 (fields of additionalModelRequestFields that reached a stub on loopback):
#   anthropic.claude-haiku-4-5-20251001-v1:0           anthropic_beta, thinking, top_k
#   jp.anthropic.claude-haiku-4-5-20251001-v1:0        anthropic_beta, thinking, top_k
#   in.anthropic.claude-haiku-4-5-20251001-v1:0        (none)
#   us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0   (none)
set -euo pipefail
work=$(mktemp -d)
gateway=
trap '[ -z "$gateway" ] || kill "$gateway"; rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --prefix . @portkey-ai/gateway@1.15.2 > /dev/null
# The gateway listens on all addresses; this keeps it on loopback, on a port that is free.
cat > loopback.cjs <<'EOF'
const { Server } = require("node:net");
const listen = Server.prototype.listen;
Server.prototype.listen = function () {
  const callback = [...arguments].find((argument) => typeof argument === "function");
  this.once("listening", () => require("node:fs").writeFileSync("port", String(this.address().port)));
  return listen.call(this, 0, "127.0.0.1", callback);
};
EOF
TRUSTED_CUSTOM_HOSTS=127.0.0.1 node --require ./loopback.cjs node_modules/@portkey-ai/gateway/build/start-server.js \
	--headless > log 2>&1 &
gateway=$!
for _ in $(seq 100); do
	if [ -s port ]; then break; fi
	sleep 0.2
done

cat > probe.mjs <<'EOF'
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

let sent;
const stub = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    sent = JSON.parse(body).additionalModelRequestFields ?? {};
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({
      output: { message: { role: "assistant", content: [{ text: "hi" }] } },
      stopReason: "end_turn", usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
    }));
  });
});
await new Promise((done) => stub.listen(0, "127.0.0.1", done));
for (const model of [
  "anthropic.claude-haiku-4-5-20251001-v1:0",
  "jp.anthropic.claude-haiku-4-5-20251001-v1:0",
  "in.anthropic.claude-haiku-4-5-20251001-v1:0",
  "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
]) {
  sent = undefined;
  const answer = await fetch(`http://127.0.0.1:${readFileSync("port")}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json", "x-portkey-provider": "bedrock", "x-portkey-aws-region": "ap-south-1",
      "x-portkey-aws-access-key-id": "AKIDEXAMPLE", "x-portkey-aws-secret-access-key": "example",
      "x-portkey-custom-host": `http://127.0.0.1:${stub.address().port}`,
    },
    body: JSON.stringify({
      model, max_tokens: 4000, top_k: 5, anthropic_beta: "context-1m-2025-08-07",
      thinking: { type: "enabled", budget_tokens: 2000 }, messages: [{ role: "user", content: "hi" }],
    }),
  });
  console.log(answer.status, model, Object.keys(sent).sort().join(", ") || "(none)");
}
process.exit(0);
EOF
node probe.mjs > seen
diff - seen <<'EOF'
200 anthropic.claude-haiku-4-5-20251001-v1:0 anthropic_beta, thinking, top_k
200 jp.anthropic.claude-haiku-4-5-20251001-v1:0 anthropic_beta, thinking, top_k
200 in.anthropic.claude-haiku-4-5-20251001-v1:0 (none)
200 us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0 (none)
EOF
echo "ok: Portkey's gateway sends no thinking, top_k or anthropic_beta for in. and us-gov. profile IDs"
