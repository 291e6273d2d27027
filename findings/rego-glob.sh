#!/usr/bin/env bash
# In Rego, `eu.*` matches no inference profile ID, while `anthropic.*` matches direct model IDs.
#
# Package: Go module github.com/open-policy-agent/opa v1.22.3, the policy engine of Gatekeeper.
#
# Behaviour: glob.match with an empty list of delimiters does not match without delimiters; it takes
# `.` as the delimiter, and then `*` ends at a dot. `eu.*` reaches `eu.anthropic` and no further.
# With null, `*` crosses dots. `**` crosses them in both cases.
#
# An engineer would expect: [] to mean that nothing delimits, and `eu.*` to mean what it means in an
# IAM policy, where `*` matches any text. The pattern for direct IDs works by chance: they have one
# dot. IDs with a dot in the model's name (openai.gpt-5.6-luna) do not match `openai.*`.
#
# Why it matters: a Gatekeeper constraint that allows `anthropic.*` and `eu.*` accepts every Pod
# before the move to inference profiles and refuses every Pod after it. Write null, or `eu.**`.
#
# Output seen on 2026-11-30, result of glob.match(PATTERN, DELIMITERS, ID):
#   pattern        delimiters  ID                                            result
#   anthropic.*    []          anthropic.claude-sonnet-4-5-20250929-v1:0     true
#   eu.*           []          eu.anthropic.claude-sonnet-4-5-20250929-v1:0  false
#   eu.*           null        eu.anthropic.claude-sonnet-4-5-20250929-v1:0  true
#   eu.**          []          eu.anthropic.claude-sonnet-4-5-20250929-v1:0  true
#   *claude*       []          eu.anthropic.claude-sonnet-4-5-20250929-v1:0  false
#   openai.*       []          openai.gpt-5.6-luna                           false
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/rego"
)

func main() {
	for _, query := range os.Args[1:] {
		result, err := rego.New(rego.Query(query)).Eval(context.Background())
		if err != nil {
			panic(err)
		}
		fmt.Println(query, result[0].Expressions[0].Value)
	}
}
EOF
{
	go mod init example.com/probe
	go get github.com/open-policy-agent/opa/v1/rego@v1.22.3
	go build -o probe .
} 2> go.log || { cat go.log; exit 1; }

direct='"anthropic.claude-sonnet-4-5-20250929-v1:0"'
profile='"eu.anthropic.claude-sonnet-4-5-20250929-v1:0"'
./probe \
	"glob.match(\"anthropic.*\", [], $direct)" \
	"glob.match(\"eu.*\", [], $profile)" \
	"glob.match(\"eu.*\", null, $profile)" \
	"glob.match(\"eu.**\", [], $profile)" \
	"glob.match(\"*claude*\", [], $profile)" \
	'glob.match("openai.*", [], "openai.gpt-5.6-luna")' > seen
diff - seen <<'EOF'
glob.match("anthropic.*", [], "anthropic.claude-sonnet-4-5-20250929-v1:0") true
glob.match("eu.*", [], "eu.anthropic.claude-sonnet-4-5-20250929-v1:0") false
glob.match("eu.*", null, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0") true
glob.match("eu.**", [], "eu.anthropic.claude-sonnet-4-5-20250929-v1:0") true
glob.match("*claude*", [], "eu.anthropic.claude-sonnet-4-5-20250929-v1:0") false
glob.match("openai.*", [], "openai.gpt-5.6-luna") false
EOF
echo 'ok: glob.match("eu.*", [], …) matches no profile ID, because [] delimits at dots'
