//! Programs in Go that tests run: built once from a module of ours that pins them, and found again by what went into the build.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// Programs that are built together.
pub(crate) struct Build<'a> {
    /// What it is, for people.
    pub(crate) what: &'a str,
    /// Folder below the root of the repository, with the `go.mod` and `go.sum` that pin it and what is our own of it.
    pub(crate) module: &'a str,
    /// Name and package of each program.
    pub(crate) packages: &'a [(&'a str, &'a str)],
    /// Flags of the linker, such as versions that are stamped in.
    pub(crate) link_flags: &'a str,
    /// The folder under which the builds live.
    pub(crate) workshop: PathBuf,
    /// Begins the name of the build's folder.
    pub(crate) name: &'a str,
    /// How long it takes, for people.
    pub(crate) takes: &'a str,
}

impl Build<'_> {
    /// The folder with the programs. Builds into a folder named by what goes into the build, through a temporary one, so that a
    /// build that was cut short is never used. Needs the network the first time.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.module);
        let folder = self.workshop.join(self.key(&module)?);
        if folder.is_dir() {
            return Ok(folder);
        }
        require("go", "install Go 1.26 or later from https://go.dev/dl")?;
        fs::create_dir_all(&self.workshop)?;
        let lock = fs::File::create(self.workshop.join("build.lock"))?;
        lock.lock().context("cannot lock the folder of the build")?;
        if folder.is_dir() {
            return Ok(folder); // another process built it while this one waited
        }
        say(&format!(
            "building {} into {}: {}, once",
            self.what,
            folder.display(),
            self.takes
        ));
        let draft = tempfile::tempdir_in(&self.workshop)?;
        for (name, package) in self.packages {
            self.compile(&module, package, &draft.path().join(name))?;
        }
        fs::rename(draft.keep(), &folder).context("cannot move the finished build to its place")?;
        Ok(folder)
    }

    /// A name for the build: FNV-1a over everything that decides what comes out of it.
    fn key(&self, module: &Path) -> Result<String> {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let flags = format!("{}{:?}", self.link_flags, self.packages);
        let mut parts = vec![flags.into_bytes()];
        let mut files: Vec<_> = fs::read_dir(module)?.collect::<Result<_, _>>()?;
        files.retain(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            parts.push(fs::read(file.path())?);
        }
        for part in parts {
            for byte in part {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Ok(format!("{}-{hash:016x}", self.name))
    }

    /// One `go build`, with a line of progress every fifteen seconds.
    fn compile(&self, module: &Path, package: &str, output: &Path) -> Result<()> {
        let started = Instant::now();
        let flags = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags"];
        let mut go = Command::new("go")
            .args(flags)
            .args([self.link_flags, "-o"])
            .arg(output)
            .arg(package)
            .current_dir(module)
            .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")]) // the user's own settings must not change what is built
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start go")?;
        let (mut compiled, mut downloaded, mut said) = (0, 0, Instant::now());
        let mut complaints = Vec::new();
        for line in BufReader::new(go.stderr.take().context("go has no stderr")?).lines() {
            match line? {
                line if line.starts_with("go: downloading ") => downloaded += 1,
                line if line.contains(' ') || line.starts_with('#') => complaints.push(line),
                _ => compiled += 1,
            }
            if said.elapsed() > Duration::from_secs(15) {
                said = Instant::now();
                say(&format!(
                    "  {package}: {downloaded} modules downloaded, {compiled} packages compiled"
                ));
            }
        }
        if !go.wait()?.success() {
            bail!("go build {package} failed:\n{}", complaints.join("\n"));
        }
        let seconds = started.elapsed().as_secs();
        say(&format!("  {package}: built in {seconds} s"));
        Ok(())
    }
}

/// An error that says how to install the tool, if it is not on the path.
pub(crate) fn require(tool: &str, remedy: &str) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    ensure!(
        found,
        "the tests need `{tool}`, which is not on the PATH: {remedy}"
    );
    Ok(())
}

/// Progress. Written past the capture of a test's output: whoever waits for minutes wants to know for what.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}"); // nobody is there to be told
}
