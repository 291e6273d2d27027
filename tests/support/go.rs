//! Go programs that tests run: built once, from a module in this repository that pins their versions.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// Programs that are built together.
pub(crate) struct Build<'a> {
    /// Description of the programs, for progress messages.
    pub(crate) what: &'a str,
    /// Folder of the module, relative to the root of the repository: `go.mod`, `go.sum` and sources of its own.
    pub(crate) module: &'a str,
    /// Name and package of each program.
    pub(crate) packages: &'a [(&'a str, &'a str)],
    /// Build tags, separated by commas.
    pub(crate) tags: &'a str,
    /// Linker flags, such as version stamps.
    pub(crate) link_flags: &'a str,
    /// Parent folder of the builds.
    pub(crate) parent: PathBuf,
    /// Prefix of the build's folder.
    pub(crate) name: &'a str,
    /// Duration of the build on two cores, for progress messages.
    pub(crate) takes: &'a str,
}

impl Build<'_> {
    /// The folder with the programs. Its name contains a hash of the build's inputs. The build runs in a temporary folder, so an
    /// interrupted build is never used. The first build needs the network.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join(self.module);
        let folder = self.parent.join(self.key(&module)?);
        if folder.is_dir() {
            return Ok(folder);
        }
        require("go", "install Go 1.26 or later from https://go.dev/dl")?;
        fs::create_dir_all(&self.parent)?;
        let lock = fs::File::create(self.parent.join("build.lock"))?;
        lock.lock().context("cannot lock the folder of the build")?;
        if folder.is_dir() {
            return Ok(folder); // built by another process in the meantime
        }
        print(&format!(
            "building {} into {}: {}, once",
            self.what,
            folder.display(),
            self.takes
        ));
        let draft = tempfile::tempdir_in(&self.parent)?;
        self.compile(&module, draft.path())?;
        fs::rename(draft.keep(), &folder).context("cannot move the finished build to its place")?;
        Ok(folder)
    }

    /// A name for the build: FNV-1a over everything that decides what comes out of it.
    fn key(&self, module: &Path) -> Result<String> {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let flags = format!("{}{}{:?}", self.tags, self.link_flags, self.packages);
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

    /// Builds all packages with one `go build`, so that programs are linked while others are compiled; with one more for each program
    /// whose file name would be that of another.
    fn compile(&self, module: &Path, output: &Path) -> Result<()> {
        let started = Instant::now();
        let total = self.dependencies(module)?;
        let mut rest = self.packages.to_vec();
        while !rest.is_empty() {
            let mut files = BTreeSet::new();
            let (now, later): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|(_, package)| files.insert(binary(package)));
            let folder = tempfile::tempdir_in(output)?;
            self.run(module, &now, folder.path(), total)?;
            for (name, package) in &now {
                fs::rename(folder.path().join(binary(package)), output.join(name))?;
            }
            rest = later;
        }
        print(&format!(
            "  {}: built in {} s",
            self.what,
            started.elapsed().as_secs()
        ));
        Ok(())
    }

    /// One `go build`. Prints progress every fifteen seconds.
    fn run(
        &self,
        module: &Path,
        packages: &[(&str, &str)],
        output: &Path,
        total: usize,
    ) -> Result<()> {
        let mut go = go(module)
            .args(["build", "-v", "-trimpath", "-buildvcs=false"])
            .args(["-tags", self.tags, "-ldflags", self.link_flags, "-o"])
            .arg(output)
            .args(packages.iter().map(|(_, package)| package))
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start go")?;
        let (mut compiled, mut downloaded, mut reported) = (0, 0, Instant::now());
        let mut errors = Vec::new();
        for line in BufReader::new(go.stderr.take().context("go has no stderr")?).lines() {
            match line? {
                line if line.starts_with("go: downloading ") => downloaded += 1,
                line if line.contains(' ') || line.starts_with('#') => errors.push(line),
                _ => compiled += 1,
            }
            if reported.elapsed() > Duration::from_secs(15) {
                reported = Instant::now();
                print(&format!(
                    "  {}: {downloaded} modules downloaded, {compiled} of at most {total} packages compiled",
                    self.what
                ));
            }
        }
        if !go.wait()?.success() {
            bail!("go build of {} failed:\n{}", self.what, errors.join("\n"));
        }
        Ok(())
    }

    /// The number of packages that the programs consist of. Packages in Go's build cache are not compiled again.
    fn dependencies(&self, module: &Path) -> Result<usize> {
        let listed = go(module)
            .args(["list", "-deps", "-tags", self.tags])
            .args(self.packages.iter().map(|(_, package)| package))
            .stderr(Stdio::null())
            .output()
            .context("cannot start go")?;
        Ok(String::from_utf8_lossy(&listed.stdout).lines().count())
    }
}

/// The `go` command in a module. Settings of the user do not change the build.
fn go(module: &Path) -> Command {
    let mut go = Command::new("go");
    go.current_dir(module)
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")]);
    go
}

/// The name that `go build` gives to the program of a package: the last element of its path that is no major version.
fn binary(package: &str) -> &str {
    let is_version = |part: &str| {
        part.strip_prefix('v')
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    let mut parts = package.rsplit('/');
    parts.find(|part| !is_version(part)).unwrap_or(package)
}

/// Fails with the remedy if the tool is not on the `PATH`.
pub(crate) fn require(tool: &str, remedy: &str) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    ensure!(
        found,
        "the tests need `{tool}`, which is not on the PATH: {remedy}"
    );
    Ok(())
}

/// Prints progress. `writeln!` is not captured by the test harness, so the user sees it during the build.
fn print(line: &str) {
    let _ = writeln!(io::stderr(), "{line}"); // a closed stderr must not fail the build
}
