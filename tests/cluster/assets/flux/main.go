// Applies objects with the engine of Flux, as its kustomize-controller does for a Kustomization.
//
//	flux NAMESPACE < LIST
//
// It prints the result as JSON: the action on each object or the error that ends the reconciliation, and the objects that differ for the
// drift detection of helm-controller. KUBECONFIG names the cluster.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/jsondiff"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
)

// The names of kustomize-controller: its field manager and the prefix of its labels.
const (
	controller = "kustomize-controller"
	group      = "kustomize.toolkit.fluxcd.io"
)

type report struct {
	Actions map[string]string `json:"actions"`
	Error   string            `json:"error,omitempty"`
	Drift   map[string]string `json:"drift"`
}

func main() {
	result, err := reconcile(context.Background(), os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func reconcile(ctx context.Context, namespace string) (*report, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	objects, err := utils.ReadObjects(os.Stdin)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		object.SetNamespace(namespace)
	}
	if err := normalize.UnstructuredList(objects); err != nil {
		return nil, err
	}
	manager := ssa.NewResourceManager(cluster, nil, ssa.Owner{Field: controller, Group: group})
	manager.SetOwnerLabels(objects, "apps", namespace)
	result := &report{Actions: map[string]string{}, Drift: map[string]string{}}
	changes, err := manager.ApplyAllStaged(ctx, objects, options())
	if err != nil {
		result.Error = err.Error()
	}
	for _, change := range changes.Entries {
		result.Actions[change.ObjMetadata.GroupKind.Kind] = change.Action.String()
	}
	for _, object := range objects {
		result.Drift[object.GetKind()] = drift(ctx, cluster, object)
	}
	return result, nil
}

// The options that kustomize-controller has without settings of the user. It takes the fields over that kubectl has applied.
func options() ssa.ApplyOptions {
	options := ssa.DefaultApplyOptions()
	options.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: controller, OperationType: metav1.ManagedFieldsOperationUpdate},
		},
	}
	return options
}

// The result of the drift detection of helm-controller for an object.
func drift(ctx context.Context, cluster client.Client, object *unstructured.Unstructured) string {
	difference, err := jsondiff.Unstructured(ctx, cluster, object, jsondiff.FieldOwner(controller))
	if err != nil {
		return err.Error()
	}
	return string(difference.Type)
}
