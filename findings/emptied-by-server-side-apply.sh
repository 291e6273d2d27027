#!/usr/bin/env bash
# `kubectl apply --server-side` after `kubectl apply` removes what others have written into an object that was created empty.
#
# Packages: Go modules k8s.io/apimachinery v0.36.3 (the code of the API server that keeps managedFields)
# and k8s.io/client-go v0.36.3 (the upgrade from client-side apply that kubectl 1.26 and later run).
#
# Behaviour: an object that is created with a name and nothing else has no managedFields, and the API
# server does not start to keep them at later updates. At the first server-side apply it attributes
# every field of that moment to one manager, `before-first-apply`. After a client-side apply one of
# these fields is the annotation of the last applied configuration, so kubectl takes this manager for
# its own former self and takes over all its fields; those that the manifest lacks are removed, without
# a conflict, and without --force-conflicts. With one label in the manifest from the start nothing is lost.
#
# An engineer would expect: fields that another client wrote stay, whatever the object had at first.
#
# Why it matters: charts ship a Lease, a Secret or a ConfigMap empty for a controller to fill, so that
# upgrades do not overwrite it. A switch from `kubectl apply` to server-side apply empties it: a leader
# loses its Lease, a CA its keys. A label in the manifest prevents it. The same was seen with kubectl
# 1.36.3 and kube-apiserver 1.36.3 for a Lease and a ConfigMap.
#
# Output seen on 2026-12-01:
#   created with  after the leader's write  after kubectl apply  after kubectl apply --server-side
#   a name        no managers               data stays           data is gone
#   a label       two managers              data stays           data stays
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > main.go <<'EOF'
package main

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func must(object runtime.Object, err error) *unstructured.Unstructured {
	if err != nil {
		panic(err)
	}
	return object.(*unstructured.Unstructured)
}

func show(step string, object *unstructured.Unstructured) {
	names := []string{}
	for _, entry := range object.GetManagedFields() {
		names = append(names, entry.Manager+"/"+string(entry.Operation))
	}
	slices.Sort(names)
	data, _, _ := unstructured.NestedStringMap(object.Object, "data")
	fmt.Println(step, data, names)
}

func run(labels map[string]string) {
	manager := managedfieldstest.NewFakeFieldManager(
		managedfields.NewDeducedTypeConverter(),
		schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})
	manifest := func() *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
		object.SetName("state")
		object.SetLabels(labels)
		return object
	}
	fmt.Println("labels:", len(labels))
	live := must(manager.Update(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}, manifest(), "kubectl-create"))
	live.SetUID(types.UID("u"))
	change := func(by string, edit func(*unstructured.Unstructured)) {
		next := live.DeepCopy()
		edit(next)
		live = must(manager.Update(live, next, by))
	}
	change("leader", func(next *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(next.Object, "written", "data", "key")
	})
	show("  leader:", live)
	change("kubectl-client-side-apply", func(next *unstructured.Unstructured) {
		next.SetAnnotations(map[string]string{lastApplied: "{}"})
	})
	show("  apply:", live)
	live = must(manager.Apply(live, manifest(), "kubectl", false))
	// What kubectl does after a server-side apply: it looks for the managers that own its annotation.
	former := sets.New[string]()
	for _, entry := range csaupgrade.FindFieldsOwners(live.GetManagedFields(), "Update", annotation) {
		former.Insert(entry.Manager)
	}
	if err := csaupgrade.UpgradeManagedFields(live, former, "kubectl"); err != nil {
		panic(err)
	}
	live = must(manager.Apply(live, manifest(), "kubectl", false))
	show("  server-side:", live)
}

func main() {
	run(nil)
	run(map[string]string{"app": "a"})
}
EOF
cat > annotation.go <<'EOF'
package main

import "sigs.k8s.io/structured-merge-diff/v6/fieldpath"

var annotation = fieldpath.NewSet(fieldpath.MakePathOrDie("metadata", "annotations", lastApplied))
EOF
{
	go mod init example.com/probe
	go get k8s.io/apimachinery@v0.36.3 k8s.io/client-go@v0.36.3
	go mod tidy
	go build -o probe .
} 2> go.log || { cat go.log; exit 1; }
diff - <(./probe) <<'EOF'
labels: 0
  leader: map[key:written] []
  apply: map[key:written] []
  server-side: map[] []
labels: 1
  leader: map[key:written] [kubectl-create/Update leader/Update]
  apply: map[key:written] [kubectl-client-side-apply/Update kubectl-create/Update leader/Update]
  server-side: map[key:written] [kubectl-create/Update kubectl/Apply leader/Update]
EOF
echo "ok: an object that was created empty loses what others wrote; one with a label does not"
