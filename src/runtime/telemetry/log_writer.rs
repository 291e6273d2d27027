//! Writes log records in a thread of its own, so that no task waits for the reader of the log.
//!
//! The queue is bounded by its number of records and by their bytes. A record that does not fit is dropped and counted, and so is one
//! that cannot be written. `tracing-appender` has such a queue too, bounded by its number of records alone, which is no bound of memory,
//! and drops the records that cannot be written without counting them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

/// Maximum number of records in the queue: some seconds of a busy replica.
const RECORDS: usize = 1024;

/// Maximum size of the records in the queue, in bytes. A usual record has less than 1 KiB.
const BYTES: usize = 2 * 1024 * 1024;

/// The pause before another attempt to enqueue a flush.
const RETRY: Duration = Duration::from_millis(10);

/// The queue of the thread. Each write is one record. Clones share the queue.
#[derive(Clone, Debug)]
pub(super) struct LogWriter {
    queue: SyncSender<LogMessage>,
    queued_bytes: Arc<AtomicUsize>,
    dropped: Counter,
}

#[derive(Debug)]
enum LogMessage {
    Record(Vec<u8>),
    /// Acknowledged when all records before it have been written.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Starts the thread, which writes to `output` and ends with the last clone. `dropped` counts the lost records.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(super) fn start(
        output: impl io::Write + Send + 'static,
        dropped: Counter,
    ) -> io::Result<Self> {
        let (queue, messages) = sync_channel(RECORDS);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let (bytes, lost) = (Arc::clone(&queued_bytes), dropped.clone());
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&messages, output, &bytes, &lost))?;
        Ok(Self {
            queue,
            queued_bytes,
            dropped,
        })
    }

    /// Waits until the records before this call have been written, at most for `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (acknowledge, acknowledged) = sync_channel(1);
        while let Err(TrySendError::Full(_)) =
            self.queue.try_send(LogMessage::Flush(acknowledge.clone()))
        {
            if Instant::now() >= deadline {
                return;
            }
            thread::sleep(RETRY);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        // Either written, or the limit has passed.
        let _: Result<(), RecvTimeoutError> = acknowledged.recv_timeout(left);
    }

    fn enqueue(&self, record: &[u8]) {
        let queued = self.queued_bytes.fetch_add(record.len(), Ordering::Relaxed);
        let fits = queued.saturating_add(record.len()) <= BYTES;
        if !fits
            || self
                .queue
                .try_send(LogMessage::Record(record.to_vec()))
                .is_err()
        {
            self.queued_bytes.fetch_sub(record.len(), Ordering::Relaxed);
            self.dropped.inc();
        }
    }
}

impl io::Write for LogWriter {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.enqueue(record);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(
    messages: &Receiver<LogMessage>,
    mut output: impl io::Write,
    queued_bytes: &AtomicUsize,
    dropped: &Counter,
) {
    for message in messages {
        match message {
            LogMessage::Record(record) => {
                if output.write_all(&record).is_err() {
                    dropped.inc();
                }
                queued_bytes.fetch_sub(record.len(), Ordering::Relaxed);
            }
            LogMessage::Flush(acknowledge) => {
                let _ = output.flush();
                // The caller may have given up.
                let _ = acknowledge.try_send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// An output that blocks until it is opened, and sends what it gets.
    struct Blocked {
        opened: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl io::Write for Blocked {
        fn write(&mut self, record: &[u8]) -> io::Result<usize> {
            // An error means that it stays open.
            let _ = self.opened.recv();
            self.written.send(record.to_vec()).unwrap();
            Ok(record.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn blocked() -> (LogWriter, Counter, Sender<()>, Receiver<Vec<u8>>) {
        let (open, opened) = channel();
        let (written, output) = channel();
        let dropped = Counter::default();
        let writer = LogWriter::start(Blocked { opened, written }, dropped.clone()).unwrap();
        (writer, dropped, open, output)
    }

    #[test]
    fn a_blocked_output_blocks_no_writer_and_the_rest_is_counted() {
        let (mut writer, dropped, open, output) = blocked();
        let all = 3 * RECORDS;
        for number in 0..all {
            writer.write_all(number.to_string().as_bytes()).unwrap();
        }
        // One record may be in the thread.
        let lost = usize::try_from(dropped.get()).unwrap();
        assert!(
            (all - RECORDS - 1..=all - RECORDS).contains(&lost),
            "{lost}"
        );
        writer.flush(Duration::ZERO);

        drop(open);
        writer.flush(Duration::from_secs(30));
        let written: Vec<_> = output.try_iter().collect();
        assert_eq!(written.len(), all - lost);
        for (number, record) in written.iter().enumerate() {
            assert_eq!(record, number.to_string().as_bytes());
        }
        assert_eq!(writer.queued_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_queue_is_bounded_in_bytes() {
        let (mut writer, dropped, open, output) = blocked();
        let record = vec![b'x'; BYTES / 4];
        for _ in 0..5 {
            writer.write_all(&record).unwrap();
        }
        assert_eq!(dropped.get(), 1);
        drop(open);
        writer.flush(Duration::from_secs(30));
        assert_eq!(output.try_iter().count(), 4);
        writer.write_all(&record).unwrap();
        assert_eq!(dropped.get(), 1);
    }

    #[test]
    fn a_record_that_cannot_be_written_is_counted() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let dropped = Counter::default();
        let mut writer = LogWriter::start(Closed, dropped.clone()).unwrap();
        writer.write_all(b"one").unwrap();
        writer.flush(Duration::from_secs(30));
        assert_eq!(dropped.get(), 1);
    }
}
