//! The guides, as a newcomer follows them: each command of a page runs on a real node, in its order, and says what is printed.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    deployment::save_logs,
    pinned::HELM_4,
    trial::{Trial, node},
    world::World,
};

/// Where the node has the image from; readers set the variable to their registry.
const REPOSITORY: (&str, &str) = ("REPOSITORY", "ghcr.io/bedrock-profiles/bedrock-profiles");

pub(super) fn trials() -> Vec<Trial> {
    vec![node("the_guide_to_an_installation_is_true", |world| {
        follow(world, "docs/install.md")
    })]
}

/// A command of a page, and what it prints among other things.
struct Step<'a> {
    line: usize,
    command: &'a str,
    printed: Vec<&'a str>,
}

/// Runs the commands of a page.
fn follow(world: &World, page: &str) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("cannot read {page}"))?;
    let steps = steps(&text);
    ensure!(steps.len() > 5, "{page} has few commands");
    let programs = programs(world)?;
    let followed = steps.iter().try_for_each(|step| {
        step.run(world, &programs)
            .with_context(|| format!("{page}:{}: {}", step.line, step.command))
    });
    if followed.is_err() {
        save_logs(world);
        // Cluster-wide names are taken until they are given back. What is gone already is no failure here.
        for step in steps.iter().filter(|step| step.removes()) {
            let _ = step.run(world, &programs);
        }
    }
    followed
}

/// The commands in the blocks of the language `console`: a line with a dollar, and below it what is printed.
fn steps(text: &str) -> Vec<Step<'_>> {
    let (mut steps, mut inside) = (Vec::<Step<'_>>::new(), false);
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                line: at + 1,
                command,
                printed: Vec::new(),
            });
        } else if inside && let Some(step) = steps.last_mut() {
            step.printed.push(line);
        }
    }
    steps
}

/// A folder with the programs that a page names.
fn programs(world: &World) -> Result<PathBuf> {
    let folder = world.folder().join("bin");
    fs::create_dir(&folder)?;
    let ours = Path::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let kubectl = world.plane().kubectl();
    for (name, program) in [
        ("helm", HELM_4.path()?.as_path()),
        ("kubectl", Path::new(kubectl.get_program())),
        ("bedrock-profiles", ours),
    ] {
        symlink(program, folder.join(name))?;
    }
    Ok(folder)
}

impl Step<'_> {
    /// Whether it takes away what the page has brought.
    fn removes(&self) -> bool {
        self.command.starts_with("helm uninstall") || self.command.starts_with("kubectl delete crd")
    }

    fn run(&self, world: &World, programs: &Path) -> Result<()> {
        let path = std::env::var("PATH").unwrap_or_default();
        let (mut reader, writer) = io::pipe()?;
        let mut command = Command::new("sh");
        command
            .args(["-c", self.command])
            .env("PATH", format!("{}:{path}", programs.display()))
            .env(REPOSITORY.0, REPOSITORY.1)
            .env("HOME", world.folder())
            .env("KUBECONFIG", world.kubeconfig())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let mut child = command.spawn()?;
        drop(command); // it holds the pipe open
        let printed = io::read_to_string(&mut reader)?;
        ensure!(child.wait()?.success(), "it fails:\n{printed}");
        for line in &self.printed {
            let words: Vec<_> = line.split_whitespace().collect();
            let prints = |printed: &str| {
                let printed: Vec<_> = printed.split_whitespace().collect();
                printed.windows(words.len()).any(|window| window == words)
            };
            ensure!(printed.lines().any(prints), "no `{line}` in:\n{printed}");
        }
        Ok(())
    }
}
