// Reads manifests as kubectl and Helm do. Each line of standard input is a manifest as a JSON string; standard output has one line for
// each: the manifest as JSON, or null where it is refused.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	for input.Scan() {
		var manifest string
		if err := json.Unmarshal(input.Bytes(), &manifest); err != nil {
			log.Fatal(err)
		}
		read, err := yaml.YAMLToJSON([]byte(manifest))
		if err != nil {
			read = []byte("null")
		}
		output.Write(append(read, '\n'))
	}
	if err := input.Err(); err != nil {
		log.Fatal(err)
	}
}
