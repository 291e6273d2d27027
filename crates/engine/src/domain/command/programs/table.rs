//! The tables of programs.

use crate::domain::reason::Reason;

/// A program that starts the program in its arguments.
pub(super) struct Starter {
    /// The name.
    pub(super) name: &'static str,
    /// The number of arguments before the program, without flags and assignments.
    pub(super) arguments: usize,
    /// Flags whose value is the next argument.
    pub(super) flags: &'static [&'static str],
}

const fn starter(name: &'static str, arguments: usize, flags: &'static [&'static str]) -> Starter {
    Starter {
        name,
        arguments,
        flags,
    }
}

/// Programs that start the program in their arguments.
pub(super) const STARTERS: &[Starter] = &[
    starter("exec", 0, &["-a"]),
    starter("env", 0, &["-u", "--unset", "-C", "--chdir"]),
    starter("command", 0, &[]),
    starter("builtin", 0, &[]),
    starter("nohup", 0, &[]),
    starter("setsid", 0, &[]),
    starter("time", 0, &["-f", "-o"]),
    starter("timeout", 1, &["-s", "-k", "--signal", "--kill-after"]),
    starter("nice", 0, &["-n"]),
    starter("ionice", 0, &["-c", "-n"]),
    starter("stdbuf", 0, &["-i", "-o", "-e"]),
    starter("chrt", 1, &[]),
    starter("taskset", 1, &[]),
    starter("catchsegv", 0, &[]),
    starter("sudo", 0, &["-u", "-g", "--user", "--group"]),
    starter("doas", 0, &["-u"]),
    starter("su-exec", 1, &[]),
    starter("gosu", 1, &[]),
    starter("setpriv", 0, &[]),
    starter("runuser", 0, &["-u", "-g"]),
    starter("chpst", 0, &["-u", "-e"]),
    starter("tini", 0, &["-p", "-e"]),
    starter("dumb-init", 0, &[]),
    starter("catatonit", 0, &[]),
    starter("xargs", 0, &["-I", "-n", "-P", "-d", "-a", "-L", "-s"]),
    starter("watch", 0, &["-n"]),
    starter("opentelemetry-instrument", 0, &[]),
    starter("ddtrace-run", 0, &[]),
    starter("newrelic-admin", 1, &[]),
    starter("busybox", 0, &[]),
    starter("!", 0, &[]),
];

/// Programs that read a script from the argument behind `-c`.
pub(super) const SHELLS: &[&str] = &[
    "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "su", "runuser",
];

/// Programs that compare their arguments with other text.
pub(super) const COMPARISONS: &[&str] = &["[", "test", "expr"];

/// Programs that search text for their arguments.
pub(super) const TEXT_SEARCHES: &[&str] = &[
    "grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack", "pgrep", "pkill", "find", "cmp", "diff",
    "unset",
];

/// Programs whose arguments are a program in another language.
pub(super) const INTERPRETERS: &[&str] = &[
    "awk",
    "gawk",
    "mawk",
    "sed",
    "gsed",
    "perl",
    "jq",
    "yq",
    "tr",
    "cut",
    "eval",
    "bc",
    "dc",
    "xmlstarlet",
    "psql",
    "mysql",
    "sqlite3",
    "mongosh",
    "redis-cli",
    "R",
    "Rscript",
];

/// Programs whose arguments are code only behind one of [`CODE_FLAGS`].
pub(super) const CODE_RUNNERS: &[&str] = &[
    "python",
    "python2",
    "python3",
    "pypy",
    "pypy3",
    "node",
    "nodejs",
    "deno",
    "bun",
    "ruby",
    "php",
    "lua",
    "tclsh",
    "pwsh",
    "powershell",
    "uv",
    "poetry",
    "pipenv",
    "ipython",
];

/// Flags whose value is code.
pub(super) const CODE_FLAGS: &[&str] = &[
    "-c", "-e", "-p", "-r", "--eval", "--print", "-Command", "-command",
];

/// Programs that write their arguments for people.
pub(super) const PRINTERS: &[&str] = &[
    "echo", "printf", "logger", "log", "info", "warn", "die", "say", "fail", "error",
];

/// Programs that configure or start a process elsewhere, whose environment is not that of the container.
pub(super) const OTHER_PROCESSES: &[&str] = &[
    "docker",
    "docker-compose",
    "podman",
    "nerdctl",
    "crictl",
    "ctr",
    "buildah",
    "kubectl",
    "oc",
    "kubectx",
    "helm",
    "helmfile",
    "kustomize",
    "argocd",
    "flux",
    "terraform",
    "tofu",
    "terragrunt",
    "pulumi",
    "cdk",
    "sam",
    "serverless",
    "sls",
    "eb",
    "ecs-cli",
    "copilot",
    "eksctl",
    "ansible",
    "ansible-playbook",
    "ssh",
    "gcloud",
    "az",
    "heroku",
    "fly",
    "flyctl",
    "railway",
    "vercel",
    "doctl",
    "gh",
    "glab",
    "vault",
    "consul",
    "etcdctl",
    "nomad",
    "systemctl",
    "systemd-run",
    "launchctl",
    "crontab",
    "lxc",
    "chroot",
    "nsenter",
    "gomplate",
    "envsubst",
    "curl",
    "wget",
    "http",
    "https",
    "grpcurl",
];

/// Services of the AWS command line that call models.
pub(super) const BEDROCK_SERVICES: &[&str] = &[
    "bedrock-runtime",
    "bedrock-agent",
    "bedrock-agent-runtime",
    "bedrock-agentcore",
    "bedrock-agentcore-control",
];

/// Calls that accept direct IDs only, and calls with rules of their own: service, operation and reason.
pub const AWS_CALLS: &[(&str, &str, Reason)] = &[
    (
        "bedrock",
        "create-foundation-model-agreement",
        Reason::DirectIdOnly,
    ),
    (
        "bedrock",
        "delete-foundation-model-agreement",
        Reason::DirectIdOnly,
    ),
    (
        "bedrock",
        "list-foundation-model-agreement-offers",
        Reason::DirectIdOnly,
    ),
    ("bedrock", "get-foundation-model", Reason::DirectIdOnly),
    (
        "bedrock",
        "get-foundation-model-availability",
        Reason::DirectIdOnly,
    ),
    (
        "bedrock",
        "create-provisioned-model-throughput",
        Reason::DirectIdOnly,
    ),
    (
        "bedrock",
        "create-model-customization-job",
        Reason::DirectIdOnly,
    ),
    ("bedrock", "create-model-invocation-job", Reason::Batch),
    ("bedrock-runtime", "count-tokens", Reason::DirectIdOnly),
    ("bedrock-runtime", "start-async-invoke", Reason::Batch),
];
