//! Lists, page by page: each page is read as fast as it comes, since the API server cuts off who reads slowly, and pauses stand
//! between pages.

use std::num::NonZero;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::AsyncBufReadExt as _;
use kube::Client;
use kube::api::ListParams;
use kube::core::Request;

use super::list_items::{Cutter, ListMetadata};

/// How large a page should be, in bytes: half of what it may be, as the next objects may be twice as large as the last.
const PAGE: usize = 4 * 1024 * 1024;

/// Objects on the first page, when nothing is known of their size: a ConfigMap holds a megabyte.
const FIRST: u32 = 8;

/// Objects on a page at most.
const MOST: u32 = 500;

/// By how much pages grow at once.
const GROWTH: u32 = 4;

/// How often a page is tried that breaks off.
const TRIES: u32 = 4;

/// How long to wait before the second try; doubled each time.
const AGAIN: Duration = Duration::from_millis(500);

/// Reads lists.
#[derive(Clone)]
pub struct Pager {
    /// For reading; repeats by itself what the server is too busy for.
    pub client: Client,
    /// Objects a second; `None` is without a pause.
    pub pace: Option<NonZero<u32>>,
}

/// A list to read.
#[derive(Debug, Clone, Default)]
pub struct List<'a> {
    /// Its path.
    pub path: String,
    /// The one object that is wanted of it.
    pub name: Option<&'a str>,
    /// Whether metadata are enough.
    pub metadata_only: bool,
}

/// What takes the items of a list.
pub trait Items {
    /// Takes one item, as JSON.
    fn take(&mut self, item: &str);
    /// The page is whole.
    fn commit(&mut self);
    /// The page broke off, and will be read again.
    fn abandon(&mut self);
}

/// Why a list is not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// There is no such resource.
    #[error("the API server does not serve it")]
    Missing,
    /// Whoever asks may not read it.
    #[error("forbidden; it needs the right to list")]
    Forbidden,
    /// The list grew too old, and the server gave nothing to go on with.
    #[error("the list expired; audit again, or at a higher pace")]
    Expired,
    /// Anything else.
    #[error("{0}")]
    Broken(String),
}

/// What one try for a page came to.
enum Failure {
    /// The token is too old; there may be one to go on with, which shows a later state of what is left.
    Expired(Option<String>),
    /// It is of no use to try again.
    Final(Gap),
    /// It may work the next time.
    Broken(String),
}

/// A page that was read.
struct Page {
    metadata: ListMetadata,
    objects: usize,
    bytes: usize,
}

impl Pager {
    /// Reads a list to its end.
    pub async fn read(&self, list: &List<'_>, items: &mut impl Items) -> Result<(), Gap> {
        let (mut limit, mut token) = (FIRST, None);
        loop {
            let started = Instant::now();
            let page = self.persist(list, limit, &mut token, items).await?;
            items.commit();
            if page.metadata.next.is_empty() {
                return Ok(());
            }
            limit = next_limit(limit, &page);
            token = Some(page.metadata.next);
            tokio::time::sleep(self.pause(page.objects, started.elapsed())).await;
        }
    }

    /// Reads a page, by another token where the one given has grown too old.
    async fn persist(
        &self,
        list: &List<'_>,
        limit: u32,
        token: &mut Option<String>,
        items: &mut impl Items,
    ) -> Result<Page, Gap> {
        let mut wait = AGAIN;
        let mut broken = String::new();
        for _ in 0..TRIES {
            match self.page(list, limit, token.as_deref(), items).await {
                Ok(page) => return Ok(page),
                Err(failure) => {
                    items.abandon();
                    match failure {
                        Failure::Final(gap) => return Err(gap),
                        Failure::Expired(None) => return Err(Gap::Expired),
                        Failure::Expired(next) => *token = next,
                        Failure::Broken(why) => {
                            broken = why;
                            tokio::time::sleep(wait).await;
                            wait *= 2;
                        }
                    }
                }
            }
        }
        Err(Gap::Broken(broken))
    }

    async fn page(
        &self,
        list: &List<'_>,
        limit: u32,
        token: Option<&str>,
        items: &mut impl Items,
    ) -> Result<Page, Failure> {
        let params = ListParams {
            limit: Some(limit),
            continue_token: token.map(str::to_owned),
            field_selector: list.name.map(|name| format!("metadata.name={name}")),
            ..ListParams::default()
        };
        let request = Request::new(&list.path);
        let request = if list.metadata_only {
            request.list_metadata(&params)
        } else {
            request.list(&params)
        };
        let request = request.map_err(|error| Failure::Broken(error.to_string()))?;
        let mut body = pin!(self.client.request_stream(request).await.map_err(failure)?);
        let (mut cutter, mut objects, mut bytes) = (Cutter::default(), 0, 0);
        loop {
            let chunk = body.fill_buf().await.map_err(|error| broken(&error))?;
            if chunk.is_empty() {
                break;
            }
            let fed = cutter.feed(chunk, |item| {
                objects += 1;
                items.take(item);
            });
            fed.map_err(|error| broken(&error))?;
            let length = chunk.len();
            bytes += length;
            body.consume_unpin(length);
        }
        let head = cutter.finish().map_err(|error| broken(&error))?;
        Ok(Page {
            metadata: head.metadata,
            objects,
            bytes,
        })
    }

    /// How long to wait after a page, so that pages come at the pace.
    fn pause(&self, objects: usize, took: Duration) -> Duration {
        let Some(pace) = self.pace else {
            return Duration::ZERO;
        };
        let objects = u32::try_from(objects).unwrap_or(u32::MAX);
        let due = Duration::from_secs(1) * objects / pace.get();
        due.saturating_sub(took)
    }
}

/// How many objects to ask for next.
fn next_limit(limit: u32, page: &Page) -> u32 {
    let each = (page.bytes / page.objects.max(1)).max(1);
    let fit = u32::try_from(PAGE / each).unwrap_or(u32::MAX);
    fit.clamp(1, limit.saturating_mul(GROWTH).min(MOST))
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::Broken(error.to_string())
}

fn failure(error: kube::Error) -> Failure {
    let kube::Error::Api(status) = error else {
        return broken(&error);
    };
    match status.code {
        401 | 403 => Failure::Final(Gap::Forbidden),
        404 => Failure::Final(Gap::Missing),
        410 => {
            let next = status.metadata.and_then(|metadata| metadata.continue_);
            Failure::Expired(next.filter(|token| !token.is_empty()))
        }
        _ => broken(&status),
    }
}

#[cfg(test)]
mod tests;
