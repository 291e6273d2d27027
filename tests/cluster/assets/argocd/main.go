// Compares and syncs objects with the engine of Argo CD, as its application controller does for an Application.
//
//	argocd compare|sync [-server-side] [-ignore JSON] NAMESPACE < LIST
//
// It prints the result as JSON: the sync status of each object in each way to compare, or the error that fails the comparison of the
// whole Application, and the outcome of the sync. KUBECONFIG names the cluster.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	argocommon "github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	argodiff "github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	kubeutil "github.com/argoproj/argo-cd/v3/util/kube"
)

// The Application, and the defaults of Argo CD for tracking its objects.
const (
	application = "apps"
	labelKey    = "app.kubernetes.io/instance"
	tracking    = v1alpha1.TrackingMethodAnnotation
)

// A way to compare: `ServerSideApply=true` selects the structured merge, `ServerSideDiff=true` the server.
type way struct {
	structured, serverSide, includeWebhooks bool
}

var ways = map[string]way{
	"three-way":                 {},
	"structured-merge":          {structured: true},
	"server-side":               {serverSide: true},
	"server-side-with-webhooks": {serverSide: true, includeWebhooks: true},
}

// The objects of one run: those of the manifests, and those of the cluster in the same order.
type run struct {
	config  *rest.Config
	cluster cache.ClusterCache
	objects sync.ReconciliationResult
	ignored []v1alpha1.ResourceIgnoreDifferences
}

type outcome struct {
	Phase     common.OperationPhase `json:"phase"`
	Message   string                `json:"message"`
	Resources map[string]string     `json:"resources"`
}

type report struct {
	Status map[string]any `json:"status"`
	Sync   *outcome       `json:"sync,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard)
	if err := start(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(command string, arguments []string) error {
	flags := flag.NewFlagSet(command, flag.ExitOnError)
	serverSide := flags.Bool("server-side", false, "sync by server-side apply")
	ignore := flags.String("ignore", "[]", "ignoreDifferences of the Application")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	namespace := flags.Arg(0)
	r, err := load(namespace)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(*ignore), &r.ignored); err != nil {
		return err
	}
	result := report{Status: map[string]any{}}
	for name, way := range ways {
		status, err := r.compare(way)
		if err != nil {
			result.Status[name] = err.Error()
			continue
		}
		result.Status[name] = status
	}
	if command == "sync" {
		if result.Sync, err = r.sync(namespace, *serverSide); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// Reads the manifests, marks them as objects of the Application, and finds the objects of the cluster.
func load(namespace string) (*run, error) {
	targets, err := manifests(namespace)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 50, 100 // those of Argo CD
	cluster := cache.NewClusterCache(config,
		cache.SetNamespaces([]string{namespace}),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(*unstructured.Unstructured, bool) (any, bool) { return nil, true }),
	)
	if err := cluster.EnsureSynced(); err != nil {
		return nil, err
	}
	live, err := cluster.GetManagedLiveObjs(targets, func(*cache.Resource) bool { return false })
	if err != nil {
		return nil, err
	}
	return &run{config: config, cluster: cluster, objects: sync.Reconcile(targets, live, namespace, cluster)}, nil
}

func manifests(namespace string) ([]*unstructured.Unstructured, error) {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	list := &unstructured.UnstructuredList{}
	if err := list.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	var targets []*unstructured.Unstructured
	for i := range list.Items {
		target := &list.Items[i]
		target.SetNamespace(namespace)
		if err := argo.NewResourceTracking().SetAppInstance(target, labelKey, application, namespace, tracking, ""); err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// Compares as `CompareAppState` of the application controller does: one error fails all objects.
func (r *run) compare(way way) (map[string]string, error) {
	builder := argodiff.NewDiffConfigBuilder().
		WithDiffSettings(r.ignored, nil, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(labelKey, string(tracking)).
		WithNoCache().
		WithGVKParser(r.cluster.GetGVKParser()).
		WithManager(argocommon.ArgoCDSSAManager).
		WithStructuredMergeDiff(way.structured).
		WithServerSideDiff(way.serverSide).
		WithIgnoreMutationWebhook(!way.includeWebhooks)
	if way.serverSide {
		applier, cleanup, err := kubeutil.ManageServerSideDiffDryRuns(r.config, func(string) (kube.CleanupFunc, error) { return func() {}, nil })
		if err != nil {
			return nil, err
		}
		defer cleanup()
		builder.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier))
	}
	config, err := builder.Build()
	if err != nil {
		return nil, err
	}
	results, err := argodiff.StateDiffs(r.objects.Live, r.objects.Target, config)
	if err != nil {
		return nil, err
	}
	status := map[string]string{}
	for i, target := range r.objects.Target {
		switch {
		case r.objects.Live[i] == nil:
			status[target.GetKind()] = "Missing"
		case results.Diffs[i].Modified:
			status[target.GetKind()] = "OutOfSync"
		default:
			status[target.GetKind()] = "Synced"
		}
	}
	return status, nil
}

// Syncs as `SyncAppState` of the application controller does without options of the user.
func (r *run) sync(namespace string, serverSide bool) (*outcome, error) {
	context, cleanup, err := sync.NewSyncContext("revision", r.objects, r.config, r.config, kubeutil.NewKubectl(), namespace,
		sync.WithLogr(logr.Discard()),
		sync.WithOperationSettings(false, true, false, false),
		sync.WithManifestValidation(true),
		sync.WithServerSideApply(serverSide),
		sync.WithServerSideApplyManager(argocommon.ArgoCDSSAManager),
		sync.WithClientSideApplyMigration(true, common.DefaultClientSideApplyMigrationManager),
	)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	for range 60 {
		context.Sync()
		phase, message, results := context.GetState()
		if !phase.Completed() {
			time.Sleep(time.Second)
			continue
		}
		resources := map[string]string{}
		for _, result := range results {
			resources[result.ResourceKey.Kind] = fmt.Sprintf("%s: %s", result.Status, result.Message)
		}
		return &outcome{phase, message, resources}, nil
	}
	return nil, fmt.Errorf("the sync has not ended after 60 s")
}
