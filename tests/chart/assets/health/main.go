// Evaluates the health of a custom resource as GitOps tools do: with kstatus, as Flux, and with a Lua health check in the
// interpreter of Argo CD. Standard input has {"lua": script, "objects": [object]}; standard output has one result a line.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type input struct {
	Lua     string                   `json:"lua"`
	Objects []map[string]interface{} `json:"objects"`
}

type result struct {
	Kstatus string `json:"kstatus"`
	ArgoCD  string `json:"argocd"`
	Message string `json:"message"`
}

// toLua converts a JSON value, as Argo CD does before it runs a health check.
func toLua(state *lua.LState, value interface{}) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []interface{}:
		table := state.NewTable()
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]interface{}:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

func argoCD(script string, object map[string]interface{}) (string, string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	// The base library alone: Argo CD disables the others unless a setting enables them.
	state.Push(state.NewFunction(lua.OpenBase))
	state.Push(lua.LString(lua.BaseLibName))
	state.Call(1, 0)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return "", "", err
	}
	health, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("the health check returns no table")
	}
	return health.RawGetString("status").String(), health.RawGetString("message").String(), nil
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, object := range in.Objects {
		// kstatus reads generations as integers.
		integers, err := json.Marshal(object)
		if err != nil {
			log.Fatal(err)
		}
		var resource unstructured.Unstructured
		if err := resource.UnmarshalJSON(integers); err != nil {
			log.Fatal(err)
		}
		computed, err := status.Compute(&resource)
		if err != nil {
			log.Fatal(err)
		}
		health, message, err := argoCD(in.Lua, object)
		if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(result{string(computed.Status), health, message}); err != nil {
			log.Fatal(err)
		}
	}
}
