//! The configuration files of a node, as text.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// The name of the only node.
pub(crate) const NODE: &str = "node1";

/// Who its kubelet is to the API server.
pub(crate) const NODE_USER: &str = "system:node:node1";

/// The image that holds the namespaces of a Pod, and of workloads that have nothing to do.
pub(super) const SANDBOX: &str = "localhost/pause:1";

/// Where Pods get their addresses.
pub(super) const PODS: &str = "10.244.0.0/16";

/// The address of the Service of names.
pub(super) const NAMES: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);

/// Where things of one node are.
pub(super) struct Places {
    /// The folder of the node.
    pub(super) folder: PathBuf,
    /// Where the container runtime and its plugins are.
    pub(super) runtime: PathBuf,
    /// The folder of the control plane, with its CA.
    pub(super) plane: PathBuf,
    /// The parent of the cgroups of all Pods.
    pub(super) cgroup: String,
    /// The address of the node, and of the API server.
    pub(super) address: Ipv4Addr,
}

impl Places {
    /// The socket of the container runtime.
    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("containerd.sock")
    }

    /// The configuration of the container runtime, TOML.
    pub(super) fn containerd(&self) -> String {
        let (folder, socket) = (self.folder.display(), self.socket().display().to_string());
        // A machine may withhold CAP_SYS_RESOURCE, without which the score of a sandbox cannot be lowered.
        format!(
            r#"version = 3
root = "{folder}/containerd"
state = "{folder}/containers"
[grpc]
address = "{socket}"
[ttrpc]
address = "{socket}.ttrpc"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{SANDBOX}"
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{}"]
conf_dir = "{folder}/cni"
"#,
            self.runtime.display()
        )
    }

    /// The network of Pods: one bridge.
    pub(super) fn network(&self) -> Value {
        json!({"cniVersion": "1.0.0", "name": "pods", "plugins": [{
            "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
            "ipam": {"type": "host-local", "dataDir": self.folder.join("addresses"),
                "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]})
    }

    /// The configuration of the kubelet.
    pub(super) fn kubelet(&self) -> Value {
        let plane = |name: &str| self.plane.join(name);
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": self.address, "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true}, "x509": {"clientCAFile": plane("ca.crt")}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": plane("kubelet-server.crt"), "tlsPrivateKeyFile": plane("kubelet-server.key"),
            "containerRuntimeEndpoint": format!("unix://{}", self.socket().display()),
            "podLogsDir": self.folder.join("pods"),
            "resolvConf": self.folder.join("resolv.conf"),
            "clusterDNS": [NAMES], "clusterDomain": "cluster.local",
            // Hosts with cgroup v1 do as well, and none of their own processes is limited.
            "failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupRoot": self.cgroup, "enforceNodeAllocatable": [],
            "failSwapOn": false,
            // The machine is somebody else's: what is left of its disk and memory says nothing about the trials.
            "evictionHard": {"memory.available": "1Mi"}, "localStorageCapacityIsolation": false,
            "imageGCHighThresholdPercent": 100,
        })
    }

    /// The configuration of the DNS server.
    pub(super) fn corefile(&self, kubeconfig: &Path) -> String {
        let Self { address, .. } = self;
        format!(
            ".:53 {{\n  bind {address}\n  errors\n  ready {address}:8181\n  kubernetes cluster.local in-addr.arpa ip6.arpa {{\n    \
             kubeconfig {}\n  }}\n}}\n",
            kubeconfig.display()
        )
    }

    /// The Service of names as Pods know it, in front of the DNS server, which is a process beside the node.
    pub(super) fn names(&self) -> Value {
        let metadata = json!({"name": "kube-dns", "namespace": "kube-system", "labels": {"kubernetes.io/service-name": "kube-dns"}});
        let ports = json!([{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]);
        json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"clusterIP": NAMES, "ports": ports}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
                "endpoints": [{"addresses": [self.address], "conditions": {"ready": true}}], "ports": ports},
        ]})
    }
}
