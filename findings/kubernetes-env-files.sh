#!/usr/bin/env bash
# No line of an env file is right for both readers in Kubernetes: kubelet's and kustomize's.
#
# Packages: Go modules k8s.io/kubernetes v1.36.3 (pkg/kubelet/util/env, which reads the file of a
# container's env.valueFrom.fileKeyRef; on by default since 1.35) and sigs.k8s.io/kustomize/api
# v0.21.1 (configMapGenerator.envs, as in kubectl 1.36).
#
# Behaviour: kubelet demands single quotes and removes them. kustomize keeps every quote as a part of
# the value, and what looks like a comment behind it. `export MODEL='…'` is no error for kubelet, which
# then finds no MODEL, and for kustomize it is the key `export MODEL`.
#
# An engineer would expect: one syntax of env files in Kubernetes, or an error where a value would
# silently get quotes.
#
# Why it matters: the same app.env is made a ConfigMap in one environment and read with fileKeyRef in
# another. Without quotes the container with fileKeyRef does not start; with them the other one calls
# a model named 'eu.anthropic.…' with its quotes, which is no profile ID.
#
# Output seen on 2026-11-30 (M is eu.anthropic.claude-sonnet-4-5-20250929-v1:0):
#   line              kubelet           kustomize
#   MODEL=M           an error          M
#   MODEL='M'         M                 'M'
#   MODEL="M"         an error          "M"
#   MODEL='M' # EU    M                 'M' # EU
#   export MODEL='M'  empty, no error   'M', with the key "export MODEL"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > go.mod <<'EOF'
module example.com/probe

go 1.26.0

require (
	k8s.io/kubernetes v1.36.3
	sigs.k8s.io/kustomize/api v0.21.1
	sigs.k8s.io/kustomize/kyaml v0.21.1
)
EOF
cat > main.go <<'EOF'
package main

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/kubernetes/pkg/kubelet/util/env"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const generator = `
configMapGenerator:
- name: app
  envs: [app.env]
`

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	const id = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
	for _, line := range []string{"MODEL=%s", "MODEL='%s'", `MODEL="%s"`, "MODEL='%s' # EU", "export MODEL='%s'"} {
		text := []byte(fmt.Sprintf(line, id))
		check(os.WriteFile("app.env", text, 0o600))
		value, err := env.ParseEnv("app.env", "MODEL")
		kubelet := fmt.Sprintf("%q", value)
		if err != nil {
			kubelet = "error"
		}

		files := filesys.MakeFsInMemory()
		check(files.WriteFile("app.env", text))
		check(files.WriteFile("kustomization.yaml", []byte(generator)))
		built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, ".")
		check(err)
		answer := fmt.Sprintf("%s | %s | %q", text, kubelet, built.Resources()[0].GetDataMap())
		fmt.Println(strings.ReplaceAll(answer, id, "M"))
	}
}
EOF
GOFLAGS=-mod=mod go build -o probe . 2> go.log || { cat go.log; exit 1; }
./probe > seen
diff - seen <<'EOF'
MODEL=M | error | map["MODEL":"M"]
MODEL='M' | "M" | map["MODEL":"'M'"]
MODEL="M" | error | map["MODEL":"\"M\""]
MODEL='M' # EU | "M" | map["MODEL":"'M' # EU"]
export MODEL='M' | "" | map["export MODEL":"'M'"]
EOF
echo "ok: kubelet wants single quotes in an env file, and kustomize keeps them in the value"
