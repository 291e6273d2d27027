//! A stand-in of an API server: plain HTTP, with a response for each path. The trials in `tests/cluster` use a real one.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// How the stand-in responds to a request.
pub(super) enum Reply {
    /// With this status and object.
    Json(u16, Value),
    /// Never.
    Silence,
}

/// A stand-in that listens, with the paths that were requested.
pub(super) struct ApiServer {
    folder: tempfile::TempDir,
    requests: Arc<Mutex<Vec<String>>>,
}

/// A `Status` of the API server.
pub(super) fn failure(code: u16, message: &str) -> Reply {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": "R", "message": message});
    Reply::Json(code, status)
}

/// A list with these items.
pub(super) fn list(items: &[Value]) -> Reply {
    Reply::Json(
        200,
        json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}),
    )
}

impl ApiServer {
    /// Listens, and responds by `respond`, which gets the path without its query. `None` is an empty list.
    pub(super) fn start(respond: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (recorded, respond) = (Arc::clone(&requests), Arc::new(respond));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (recorded, respond) = (Arc::clone(&recorded), Arc::clone(&respond));
                thread::spawn(move || serve(stream, &recorded, &*respond));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(path, kubeconfig(&server, "{}")).unwrap();
        Self { folder, requests }
    }

    /// The kubeconfig of the stand-in, with the context `stand-in` and its namespace `ml`.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The command, with this stand-in as the cluster of the current context.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        command.args(args).env("KUBECONFIG", self.kubeconfig());
        command
    }

    /// Runs a command with this stand-in as the cluster of the current context.
    pub(super) fn run(&self, args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.args(["--today", "2026-11-23"]).output().unwrap()
    }

    /// The requests so far: paths without queries.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A kubeconfig with one context.
pub(super) fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: stand-in\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\nusers: [{{name: u, user: {user}}}]\ncontexts: [{{name: stand-in, context: {{cluster: c, user: u, namespace: ml}}}}]\n"
    )
}

/// Serves one connection.
fn serve(
    mut stream: TcpStream,
    recorded: &Mutex<Vec<String>>,
    respond: &dyn Fn(&str) -> Option<Reply>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    while let Some(request) = lines.next() {
        while lines.next().is_some_and(|header| !header.is_empty()) {}
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        recorded.lock().unwrap().push(path.to_owned());
        let reply = respond(path).unwrap_or_else(|| default(path));
        let Reply::Json(code, value) = reply else {
            // The connection stays open until the client closes it.
            return lines.for_each(drop);
        };
        let body = value.to_string();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {code} R\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// What an API server without objects responds.
fn default(path: &str) -> Reply {
    if path == "/version" {
        let version = json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "", "gitTreeState": "",
            "buildDate": "", "goVersion": "", "compiler": "", "platform": ""});
        return Reply::Json(200, version);
    }
    match path.strip_prefix("/api/v1/namespaces/") {
        Some(name) if !name.contains('/') => Reply::Json(
            200,
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": name}}),
        ),
        _ => list(&[]),
    }
}
