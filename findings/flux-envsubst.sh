#!/usr/bin/env bash
# Flux's variable substitution gives `:+` and `:?` the meaning of `:-`.
#
# Package: Go module github.com/fluxcd/pkg/envsubst v1.8.0, the substitution of Flux's
# `spec.postBuild` and of `flux envsubst`; public issue: fluxcd/pkg#911.
#
# Behaviour: `${GEO:+…}` is the text after the sign where GEO is EMPTY, and GEO itself where it is
# set: the opposite of a shell. `${GEO:?…}` does not stop; it becomes its own error message. Both
# succeed without a warning.
#
# An engineer would expect: the meaning that sh gives them, or an error about an operator that is
# not supported. `${GEO:+${GEO}.}anthropic…` is the usual way to make a prefix optional.
#
# Why it matters: the substitution runs before the API server sees the object, so a mutating webhook
# gets `euanthropic…`, which is neither a direct model ID nor a profile ID, and leaves it. A cluster
# that meant "no prefix" silently calls the profile of another geography (line 3).
# `${GEO:-eu}.anthropic…` is safe.
#
# Output seen on 2026-11-30, here shortened (M is anthropic.claude-sonnet-4-5-20250929-v1:0):
#   template             GEO  sh        Flux
#   ${GEO:+${GEO}.}M     eu   eu.M      euM
#   ${GEO:+${GEO}.}M     ''   M         .M
#   ${GEO:+eu.}M         ''   M         eu.M
#   ${GEO:?set GEO}.M    ''   (stops)   set GEO.M
#   ${GEO:-eu}.M         ''   eu.M      eu.M
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > main.go <<'EOF'
package main

import (
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

func main() {
	for _, template := range os.Args[1:] {
		text, err := envsubst.Eval(template, func(string) (string, bool) {
			return os.Getenv("GEO"), true
		})
		if err != nil {
			text = "error"
		}
		fmt.Println(text)
	}
}
EOF
go mod init example.com/probe 2> /dev/null
go get github.com/fluxcd/pkg/envsubst@v1.8.0 2> /dev/null
go build -o flux .

model=anthropic.claude-sonnet-4-5-20250929-v1:0
compare() { # template, value of GEO
	local shell
	shell=$(GEO=$2 sh -c "printf %s \"$1\"" 2> /dev/null) || shell="(stops)"
	printf '%s | GEO=%s | sh: %s | Flux: %s\n' "$1" "$2" "$shell" "$(GEO=$2 ./flux "$1")"
}
# shellcheck disable=SC2016 # the templates are expanded by what is compared
{
	compare '${GEO:+${GEO}.}'$model eu
	compare '${GEO:+${GEO}.}'$model ''
	compare '${GEO:+eu.}'$model ''
	compare '${GEO:?set GEO}.'$model ''
	compare '${GEO:-eu}.'$model ''
} > seen
diff - seen <<'EOF'
${GEO:+${GEO}.}anthropic.claude-sonnet-4-5-20250929-v1:0 | GEO=eu | sh: eu.anthropic.claude-sonnet-4-5-20250929-v1:0 | Flux: euanthropic.claude-sonnet-4-5-20250929-v1:0
${GEO:+${GEO}.}anthropic.claude-sonnet-4-5-20250929-v1:0 | GEO= | sh: anthropic.claude-sonnet-4-5-20250929-v1:0 | Flux: .anthropic.claude-sonnet-4-5-20250929-v1:0
${GEO:+eu.}anthropic.claude-sonnet-4-5-20250929-v1:0 | GEO= | sh: anthropic.claude-sonnet-4-5-20250929-v1:0 | Flux: eu.anthropic.claude-sonnet-4-5-20250929-v1:0
${GEO:?set GEO}.anthropic.claude-sonnet-4-5-20250929-v1:0 | GEO= | sh: (stops) | Flux: set GEO.anthropic.claude-sonnet-4-5-20250929-v1:0
${GEO:-eu}.anthropic.claude-sonnet-4-5-20250929-v1:0 | GEO= | sh: eu.anthropic.claude-sonnet-4-5-20250929-v1:0 | Flux: eu.anthropic.claude-sonnet-4-5-20250929-v1:0
EOF
# shellcheck disable=SC2016
echo 'ok: Flux substitutes ${GEO:+…} and ${GEO:?…} as if they were ${GEO:-…}'
