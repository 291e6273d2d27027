//! The CPU time of reviews that were made to cost much: `cargo bench --bench costs`.
//!
//! `-- search SECONDS [SEED]` measures generated reviews and prints each that costs more than all before.
//! The times are those of one machine; their ratio to the first row, a file of 200 KiB with one ID, means more.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::time::{Duration, Instant};

use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};

mod bodies;
#[path = "../tests/support/costly_reviews.rs"]
mod costly_reviews;

/// How long each review is measured; the kernel counts the time of a thread in ticks of milliseconds.
const MEASURED: Duration = Duration::from_millis(500);

/// The maximum number of measurements of a review.
const MOST_ROUNDS: u32 = 200;

fn main() {
    let handler = costly_reviews::handler("Rewrite");
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    if words.next().as_deref() == Some("search") {
        let number = |word: Option<String>| word.map_or(60, |word| word.parse().unwrap());
        return search(&handler, number(words.next()), number(words.next()));
    }
    let (name, usual) = bodies::reviews()
        .into_iter()
        .find(|(name, _)| name.starts_with('6'))
        .unwrap();
    let usual = cpu_time(&handler, &usual, name, None);
    for review in costly_reviews::costly_reviews() {
        let outcome = if review.exceeds { ", TooLarge" } else { "" };
        let name = format!("{}{outcome}", review.name);
        cpu_time(&handler, &review.body(), &name, Some(usual));
    }
}

/// Measures generated reviews for some seconds, and prints the seed of each that costs more than all before.
fn search(handler: &AdmissionHandler, seconds: u64, first: u64) {
    let (end, mut most) = (
        Instant::now() + Duration::from_secs(seconds),
        Duration::ZERO,
    );
    let mut seed = first;
    while Instant::now() < end {
        let (start, body) = costly_reviews::generated_review(seed);
        let before = thread_time();
        let response = handler.handle(Endpoint::Mutate, &body, ConfigMapWait::Exhausted);
        std::hint::black_box(response).unwrap();
        let time = thread_time().saturating_sub(before);
        if time > most {
            most = time;
            println!(
                "{:>8.1} ms {:>6} KiB, seed {seed}: {start:?}",
                time.as_secs_f64() * 1e3,
                body.len() / 1024
            );
        }
        seed += 1;
    }
    println!("seeds {first} to {seed}");
}

/// Prints and returns the CPU time of a review.
fn cpu_time(
    handler: &AdmissionHandler,
    body: &[u8],
    name: &str,
    usual: Option<Duration>,
) -> Duration {
    let (before, mut rounds) = (thread_time(), 0);
    while rounds < MOST_ROUNDS && (rounds == 0 || thread_time().saturating_sub(before) < MEASURED) {
        let response = handler.handle(Endpoint::Mutate, body, ConfigMapWait::Exhausted);
        std::hint::black_box(response).unwrap();
        rounds += 1;
    }
    let each = thread_time().saturating_sub(before) / rounds;
    let ratio = each.as_secs_f64() / usual.unwrap_or(each).as_secs_f64();
    println!(
        "{name:<55} {:>6} KiB {:>8.1} ms {ratio:>8.2}",
        body.len() / 1024,
        each.as_secs_f64() * 1e3
    );
    each
}

/// The CPU time of this thread.
fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split_whitespace().next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}
