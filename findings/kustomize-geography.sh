#!/usr/bin/env bash
# `kubectl apply -k` replaces a whole ID where `kustomize build` replaces its geography.
#
# Packages: Go modules sigs.k8s.io/kustomize/api v0.21.1, which kubectl 1.36 and 1.37 contain, and
# v0.21.2; public issue: kubernetes-sigs/kustomize#6028.
#
# Behaviour: a replacement with `delimiter: "."` and `index: 0` exchanges the part before the first
# dot of a field. Inside YAML or JSON text of a ConfigMap (data.config\.yaml.model), v0.21.1 accepts
# the same target and ignores the options: the ID becomes `eu`. v0.21.2 heeds them. In both, index 0
# of a direct ID is its vendor, which is lost, and index -1 is not the last part but a new one in front.
#
# An engineer would expect: one kustomization to give one result, or an error of the version that
# does not heed the options; and -1 to count from the end.
#
# Why it matters: an overlay that exchanges the geography of profile IDs for a region is a few lines
# of kustomization. It is right in CI, where kustomize builds it, and where kubectl applies it the
# application reads `model: eu`. To put a geography before a direct ID, use index -1.
#
# Output seen on 2026-11-30, with the value eu (M is anthropic.claude-sonnet-4-5-20250929-v1:0):
#   index  target                   before  v0.21.1                             v0.21.2
#   0      data.model               us.M    eu.M                                eu.M
#   0      data.config\.yaml.model  us.M    eu                                  eu.M
#   0      data.config\.json.model  us.M    eu                                  eu.M
#   0      data.direct              M       eu.claude-sonnet-4-5-20250929-v1:0  the same
#   -1     data.model               us.M    eu.us.M                             eu.us.M
#   -1     data.direct              M       eu.M                                eu.M
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > main.go <<'EOF'
package main

import (
	"fmt"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	result, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "app")
	if err != nil {
		panic(err)
	}
	text, err := result.AsYaml()
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
}
EOF
{
	go mod init example.com/probe
	for version in v0.21.1 v0.21.2; do
		go get sigs.k8s.io/kustomize/api/krusty@$version sigs.k8s.io/kustomize/kyaml/filesys@$version
		go build -o $version .
	done
} 2> go.log || { cat go.log; exit 1; }

mkdir app
model=anthropic.claude-sonnet-4-5-20250929-v1:0
cat > app/configmap.yaml <<EOF
apiVersion: v1
kind: ConfigMap
metadata:
  name: app
data:
  model: us.$model
  direct: $model
  config.yaml: |
    model: us.$model
  config.json: |
    {"model": "us.$model"}
EOF
show() { # version, index, targets
	cat > app/kustomization.yaml <<-EOF
	resources: [configmap.yaml]
	replacements:
	- sourceValue: eu
	  targets:
	  - select: {kind: ConfigMap, name: app}
	    fieldPaths: [$3]
	    options: {delimiter: ".", index: $2}
	EOF
	echo "$1, index $2"
	"./$1" | sed -n "s/$model/M/; /^  [a-z.]*:/p"
}
{
	show v0.21.1 0 'data.model, data.direct, data.config\.yaml.model, data.config\.json.model'
	show v0.21.2 0 'data.model, data.direct, data.config\.yaml.model, data.config\.json.model'
	show v0.21.1 -1 'data.model, data.direct'
	show v0.21.2 -1 'data.model, data.direct'
} | grep -v -e '|$' -e name: > seen
diff - seen <<'EOF'
v0.21.1, index 0
  config.json: '{"model":"eu"}'
  config.yaml: 'model: eu'
  direct: eu.claude-sonnet-4-5-20250929-v1:0
  model: eu.M
v0.21.2, index 0
  config.json: '{"model":"eu.M"}'
  config.yaml: 'model: eu.M'
  direct: eu.claude-sonnet-4-5-20250929-v1:0
  model: eu.M
v0.21.1, index -1
  direct: eu.M
  model: eu.us.M
v0.21.2, index -1
  direct: eu.M
  model: eu.us.M
EOF
echo "ok: the kustomize in kubectl replaces a whole ID in a ConfigMap's file, kustomize v0.21.2 its geography"
