//! A child process with its log in a file: ends with the value, and can say its last words.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// How long anything may take before a trial gives up on it. Long, because a busy machine is no failure.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);

/// A running child.
pub(crate) struct Process {
    name: String,
    child: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts the command with both of its streams in the file `log`.
    pub(crate) fn spawn(name: &str, command: &mut Command, log: PathBuf) -> Result<Self> {
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| {
                format!("cannot start {name} ({})", command.get_program().display())
            })?;
        Ok(Self {
            name: name.to_owned(),
            child: Mutex::new(child),
            log,
        })
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .id()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let status = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .context("cannot run kill")?;
        ensure!(status.success(), "cannot send {signal} to {}", self.name);
        Ok(())
    }

    /// Waits until the child has ended by itself.
    pub(crate) fn wait_until_ended(&self) -> Result<()> {
        wait_for(&format!("the end of {}", self.name), || {
            let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(child.try_wait()?.map(|_| ()))
        })
    }

    /// An error with the end of the log if the child has ended.
    pub(crate) fn check(&self) -> Result<()> {
        let status = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()?;
        match status {
            Some(status) => bail!(
                "{} has ended ({status}); the end of its log:\n{}",
                self.name,
                tail(&self.log, 20, |_| true)
            ),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill(); // it may have ended by itself
        let _ = child.wait();
    }
}

/// The last lines of a file among those that are wanted, or why there are none.
pub(crate) fn tail(path: &Path, lines: usize, wanted: impl Fn(&str) -> bool) -> String {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let all: Vec<&str> = text.lines().filter(|line| wanted(line)).collect();
            all[all.len().saturating_sub(lines)..].join("\n")
        }
        Err(error) => format!("(no log: {error})"),
    }
}

/// Asks ten times a second until there is an answer; `what` completes "no sign of …".
pub(crate) fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if started.elapsed() > MAX_WAIT {
            bail!("no sign of {what} after {} s", MAX_WAIT.as_secs());
        }
        thread::sleep(Duration::from_millis(100));
    }
}
