//! Paged lists. Each page is read as fast as it arrives, because the API server disconnects slow readers; pauses are between pages.

use std::num::NonZero;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures::AsyncBufReadExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::Client;
use kube::api::{GetParams, ListParams};
use kube::core::Request;
use serde::de::DeserializeOwned;

use super::backoff::Backoff;
use super::list_items::ListItemReader;
use crate::runtime::BoxError;
use crate::runtime::error_text::error_text;

/// The target size of a page, in bytes: half of the maximum, because the next objects may be twice as large as the last ones.
const TARGET_BYTES: usize = 4 * 1024 * 1024;

/// The number of objects of the first page, when their size is unknown: a ConfigMap has up to a megabyte.
const FIRST_LIMIT: u32 = 8;

/// The maximum number of objects of a page.
const MAX_LIMIT: u32 = 500;

/// The maximum factor by which a page grows over the one before.
const MAX_GROWTH: u32 = 4;

/// The number of attempts to read a page.
const MAX_ATTEMPTS: u32 = 4;

/// The delay before the second attempt.
const INITIAL_DELAY: Duration = Duration::from_millis(500);

/// The longest delay between attempts.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The user of requests without credentials, as the API server quotes it.
const ANONYMOUS: &str = "\"system:anonymous\"";

/// Reads lists page by page.
#[derive(Clone)]
pub struct Pager {
    /// The client for reads, which retries when the API server is busy.
    pub client: Client,
    /// The maximum number of objects to read each second; `None` is unlimited.
    pub objects_per_second: Option<NonZero<u32>>,
    /// The time after which an attempt to read a page has failed; `None` limits only the time without a byte.
    pub request_timeout: Option<Duration>,
}

/// A list to read.
#[derive(Debug, Clone, Default)]
pub struct ListRequest<'a> {
    /// The path of the list.
    pub path: String,
    /// The only object to list.
    pub name: Option<&'a str>,
    /// Whether to list metadata alone.
    pub metadata_only: bool,
}

/// Receives the items of a list.
pub trait ItemSink {
    /// Adds one item, as JSON.
    fn add(&mut self, item: &str);
    /// Keeps the items added since the last commit: their page was read to its end.
    fn commit(&mut self);
    /// Drops the items added since the last commit: their page failed and will be read again.
    fn abandon(&mut self);
}

/// Why a list was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The API server does not serve the resource.
    #[error("the API server does not serve it")]
    NotFound,
    /// The API server does not know the caller. No other request would succeed.
    #[error("not logged in: the credentials are missing or have expired; log in again")]
    NotLoggedIn,
    /// The caller may not list the resource.
    #[error("forbidden; grant the verb list")]
    Forbidden,
    /// The user interrupted the command.
    #[error("interrupted")]
    Interrupted,
    /// The continue token expired, and the API server offered no new one.
    #[error("the continue token expired; list again, or at a higher rate")]
    Expired,
    /// The last attempt to read a page got no response.
    #[error("the API server cannot be reached: {}", error_text(&**.0))]
    Unreachable(BoxError),
    /// Every attempt to read a page failed; this is the last error.
    #[error(transparent)]
    Failed(BoxError),
}

impl ListError {
    /// Whether every further request would fail too.
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::NotLoggedIn | Self::Interrupted
        )
    }
}

/// Why one attempt to read a page failed.
enum PageError {
    /// The continue token expired; this new one shows a later state of the remaining objects.
    Expired(String),
    /// Another attempt would fail too.
    Final(ListError),
    /// The API server gave no response. Another attempt may succeed.
    Unreachable(BoxError),
    /// Another attempt may succeed.
    Retryable(BoxError),
}

/// A page that was read to its end.
struct Page {
    metadata: ListMeta,
    objects: usize,
    bytes: usize,
}

/// Collects the deserialized items of a list.
struct Collect<T> {
    complete: Vec<T>,
    page: Vec<T>,
}

impl<T: DeserializeOwned> ItemSink for Collect<T> {
    fn add(&mut self, item: &str) {
        self.page.extend(serde_json::from_str(item));
    }

    fn commit(&mut self) {
        self.complete.append(&mut self.page);
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

impl Pager {
    /// The metadata of the object `name` of the list at `path`, as JSON; `None` if there is no such object.
    pub async fn metadata(&self, path: &str, name: &str) -> Result<Option<String>, ListError> {
        let request = Request::new(path).get_metadata(name, &GetParams::default());
        self.object(request.map_err(|error| ListError::Failed(error.into()))?)
            .await
    }

    /// The response for a path, as JSON; `None` if there is nothing.
    pub async fn get(&self, path: &str) -> Result<Option<String>, ListError> {
        let request = hyper::Request::get(path).body(Vec::new());
        self.object(request.map_err(|error| ListError::Failed(error.into()))?)
            .await
    }

    /// The response to a new object at a path, as JSON.
    pub(super) async fn post(
        &self,
        path: &str,
        object: &serde_json::Value,
    ) -> Result<String, ListError> {
        let request = hyper::Request::post(path)
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes());
        let request = request.map_err(|error| ListError::Failed(error.into()))?;
        self.object(request).await?.ok_or(ListError::NotFound)
    }

    async fn object(&self, request: hyper::Request<Vec<u8>>) -> Result<Option<String>, ListError> {
        let text = match self.limited(self.client.request_text(request)).await {
            Ok(text) => text.map_err(page_error),
            Err(late) => Err(late),
        };
        match text {
            Ok(text) => Ok(Some(text)),
            Err(PageError::Final(ListError::NotFound)) => Ok(None),
            Err(PageError::Final(error)) => Err(error),
            Err(PageError::Expired(_)) => Err(ListError::Expired),
            Err(PageError::Unreachable(error)) => Err(ListError::Unreachable(error)),
            Err(PageError::Retryable(error)) => Err(ListError::Failed(error)),
        }
    }

    /// The output of a request, unless it takes longer than it may.
    async fn limited<T>(&self, request: impl Future<Output = T>) -> Result<T, PageError> {
        let Some(limit) = self.request_timeout else {
            return Ok(request.await);
        };
        let late = |_| retryable(format!("no complete response within {limit:?}"));
        tokio::time::timeout(limit, request).await.map_err(late)
    }

    /// Reads a list into memory. Leaves out items that are no valid `T`.
    pub async fn collect<T: DeserializeOwned>(
        &self,
        request: &ListRequest<'_>,
    ) -> Result<Vec<T>, ListError> {
        let mut items = Collect {
            complete: Vec::new(),
            page: Vec::new(),
        };
        self.read(request, &mut items).await?;
        Ok(items.complete)
    }

    /// Reads a list to its end.
    pub async fn read(
        &self,
        request: &ListRequest<'_>,
        items: &mut impl ItemSink,
    ) -> Result<(), ListError> {
        let (mut limit, mut token) = (FIRST_LIMIT, None);
        loop {
            let started = Instant::now();
            let page = self.retry_page(request, limit, &mut token, items).await?;
            items.commit();
            limit = next_limit(limit, &page);
            token = page.metadata.continue_.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(());
            }
            tokio::time::sleep(self.pause(page.objects, started.elapsed())).await;
        }
    }

    /// Reads a page in several attempts, and replaces an expired token.
    async fn retry_page(
        &self,
        request: &ListRequest<'_>,
        limit: u32,
        token: &mut Option<String>,
        items: &mut impl ItemSink,
    ) -> Result<Page, ListError> {
        let mut backoff = Backoff::new(INITIAL_DELAY, MAX_DELAY);
        for attempt in 1.. {
            let page = self.page(request, limit, token.as_deref(), items);
            let error = match self.limited(page).await {
                Ok(Ok(page)) => return Ok(page),
                Ok(Err(error)) | Err(error) => error,
            };
            items.abandon();
            let is_last = attempt == MAX_ATTEMPTS;
            match error {
                PageError::Final(error) => return Err(error),
                PageError::Expired(_) if is_last => break,
                PageError::Expired(next) => *token = Some(next),
                PageError::Retryable(error) if is_last => return Err(ListError::Failed(error)),
                PageError::Unreachable(error) if is_last => {
                    return Err(ListError::Unreachable(error));
                }
                PageError::Unreachable(_) | PageError::Retryable(_) => {
                    tokio::time::sleep(backoff.next_delay()).await;
                }
            }
        }
        Err(ListError::Expired)
    }

    async fn page(
        &self,
        request: &ListRequest<'_>,
        limit: u32,
        token: Option<&str>,
        items: &mut impl ItemSink,
    ) -> Result<Page, PageError> {
        let request = request.page(limit, token).map_err(retryable)?;
        let body = self.client.request_stream(request).await;
        let mut body = pin!(body.map_err(page_error)?);
        let (mut reader, mut objects, mut bytes) = (ListItemReader::default(), 0, 0);
        loop {
            let chunk = body.fill_buf().await.map_err(retryable)?;
            if chunk.is_empty() {
                break;
            }
            let count = |item: &str| {
                objects += 1;
                items.add(item);
            };
            reader.feed(chunk, count).map_err(retryable)?;
            let length = chunk.len();
            bytes += length;
            body.consume_unpin(length);
        }
        Ok(Page {
            metadata: reader.finish().map_err(retryable)?,
            objects,
            bytes,
        })
    }

    /// The pause after a page that keeps the rate of objects.
    fn pause(&self, objects: usize, took: Duration) -> Duration {
        let Some(rate) = self.objects_per_second else {
            return Duration::ZERO;
        };
        let objects = u32::try_from(objects).unwrap_or(u32::MAX);
        let due = Duration::from_secs(1) * objects / rate.get();
        due.saturating_sub(took)
    }
}

impl ListRequest<'_> {
    /// The request of one page.
    fn page(
        &self,
        limit: u32,
        token: Option<&str>,
    ) -> Result<hyper::Request<Vec<u8>>, kube::core::request::Error> {
        let params = ListParams {
            limit: Some(limit),
            continue_token: token.map(str::to_owned),
            field_selector: self.name.map(|name| format!("metadata.name={name}")),
            ..ListParams::default()
        };
        let request = Request::new(&self.path);
        if self.metadata_only {
            request.list_metadata(&params)
        } else {
            request.list(&params)
        }
    }
}

/// The number of objects of the next page.
fn next_limit(limit: u32, page: &Page) -> u32 {
    let object_bytes = (page.bytes / page.objects.max(1)).max(1);
    let fit = u32::try_from(TARGET_BYTES / object_bytes).unwrap_or(u32::MAX);
    fit.clamp(1, limit.saturating_mul(MAX_GROWTH).min(MAX_LIMIT))
}

fn retryable(error: impl Into<BoxError>) -> PageError {
    PageError::Retryable(error.into())
}

fn page_error(error: kube::Error) -> PageError {
    let kube::Error::Api(status) = error else {
        return PageError::Unreachable(error.into());
    };
    match status.code {
        401 => PageError::Final(ListError::NotLoggedIn),
        // With anonymous callers admitted, missing credentials are a missing right.
        403 if status.message.contains(ANONYMOUS) => PageError::Final(ListError::NotLoggedIn),
        403 => PageError::Final(ListError::Forbidden),
        404 => PageError::Final(ListError::NotFound),
        410 => {
            let token = status.metadata.and_then(|metadata| metadata.continue_);
            let token = token.filter(|token| !token.is_empty());
            token.map_or(PageError::Final(ListError::Expired), PageError::Expired)
        }
        _ => retryable(kube::Error::Api(status)),
    }
}

#[cfg(test)]
mod tests;
