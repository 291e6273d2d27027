//! Bodies without a connection; `tests/suite/webhook/server.rs` has the rest.

use std::task::Poll;

use super::*;

/// A reader of bodies of up to `body` bytes, and `total` bytes together.
fn reader(body: usize, total: usize) -> BodyReader {
    let limits = ServerLimits {
        body,
        memory: MemoryLimits {
            total,
            kept: 0,
            small: 0,
        },
        ..ServerLimits::default()
    };
    BodyReader::register(limits, &mut Registry::default())
}

async fn pass(
    reader: &BodyReader,
    request: Request<Body>,
) -> Result<ReviewRequest, RequestRejected> {
    ReviewRequest::from_request(request, reader).await
}

fn post(body: &str) -> Request<Body> {
    let body = Body::from(body.to_owned());
    Request::post("/mutate?timeout=2s")
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

/// Whether the future waits when it is polled once.
fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    future.as_mut().poll(&mut context).is_pending()
}

/// A body that arrives in pieces, and then ends or pauses.
struct Pieces {
    left: std::slice::Iter<'static, &'static str>,
    declared: Option<u64>,
    ends: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        match self.left.next() {
            Some(piece) => Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from(*piece))))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.declared.map_or_else(
            hyper::body::SizeHint::default,
            hyper::body::SizeHint::with_exact,
        )
    }
}

/// A body of unknown length.
fn chunked(pieces: &'static [&'static str]) -> Request<Body> {
    let body = Pieces {
        left: pieces.iter(),
        declared: None,
        ends: true,
    };
    post("").map(|_| Body::new(body))
}

/// A body of `declared` bytes that pauses after `pieces`.
fn paused(declared: u64, pieces: &'static [&'static str]) -> Request<Body> {
    let body = Pieces {
        left: pieces.iter(),
        declared: Some(declared),
        ends: false,
    };
    post("").map(|_| Body::new(body))
}

#[tokio::test]
async fn a_body_holds_its_part_of_the_budget_until_it_is_dropped() {
    let reader = reader(8, 12);
    let first = pass(&reader, post("12345678")).await.unwrap();
    assert_eq!(first.body(), "12345678");
    assert_eq!(reader.0.memory.used(), 8);
    assert_eq!(
        pass(&reader, post("12345")).await.unwrap_err(),
        RequestRejected::Busy
    );
    let second = pass(&reader, post("1234")).await.unwrap();
    assert_eq!(
        pass(&reader, post("1")).await.unwrap_err(),
        RequestRejected::Busy
    );
    drop(first);
    assert_eq!(reader.0.memory.used(), 4);
    pass(&reader, post("12345678")).await.unwrap();
    drop(second);
    assert_eq!(reader.0.memory.used(), 0);
}

#[tokio::test]
async fn a_body_of_unknown_length_takes_budget_as_it_grows() {
    let reader = reader(8, 8);
    let first = pass(&reader, chunked(&["ab", "", "cde"])).await.unwrap();
    assert_eq!(first.body(), "abcde");
    assert_eq!(reader.0.memory.used(), 5);
    assert_eq!(
        pass(&reader, chunked(&["ab", "cd"])).await.unwrap_err(),
        RequestRejected::Busy
    );
    assert_eq!(reader.0.memory.used(), 5);
    drop(first);
    assert_eq!(
        pass(&reader, chunked(&["abcd", "efgh", "i"]))
            .await
            .unwrap_err(),
        RequestRejected::TooLarge
    );
    assert_eq!(reader.0.memory.used(), 0);
}

#[tokio::test]
async fn a_declared_length_reserves_nothing_until_its_bytes_arrive() {
    let reader = reader(100, 100);
    let mut announced: Vec<_> = (0..4)
        .map(|_| Box::pin(pass(&reader, paused(100, &[]))))
        .collect();
    for request in &mut announced {
        assert!(is_pending(request));
    }
    assert_eq!(reader.0.memory.used(), 0);

    // Each step at most doubles what has arrived, and the last one ends at the declared length.
    for (pieces, used) in [
        (&["0123456789"][..], 10),
        (&["0123456789", "1"][..], 20),
        (
            &["0123456789", "0123456789", "0123456789", "0123456789", "1"][..],
            80,
        ),
    ] {
        let mut arriving = Box::pin(pass(&reader, paused(100, pieces)));
        assert!(is_pending(&mut arriving));
        assert_eq!(reader.0.memory.used(), used);
    }
    let mut arriving = Box::pin(pass(&reader, paused(15, &["0123456789", "1"])));
    assert!(is_pending(&mut arriving));
    assert_eq!(reader.0.memory.used(), 15);
    let whole = pass(&reader, post(&"x".repeat(85))).await.unwrap();
    drop((arriving, whole));
    assert_eq!(reader.0.memory.used(), 0);
}

#[tokio::test]
async fn a_body_that_cannot_reserve_more_is_refused_and_returns_what_it_holds() {
    let reader = reader(100, 100);
    let whole = pass(&reader, post(&"x".repeat(85))).await.unwrap();
    let refused = pass(&reader, chunked(&["0123456789", "0123456789"])).await;
    assert_eq!(refused.unwrap_err(), RequestRejected::Busy);
    assert_eq!(reader.0.memory.used(), 85);
    drop(whole);
}

#[tokio::test]
async fn a_body_of_one_byte_more_than_the_limit_is_rejected() {
    let reader = reader(8, 8);
    assert_eq!(
        pass(&reader, post("12345678")).await.unwrap().body().len(),
        8
    );
    assert_eq!(
        pass(&reader, post("123456789")).await.unwrap_err(),
        RequestRejected::TooLarge
    );
}

#[tokio::test]
async fn a_body_that_is_not_plain_json_is_rejected() {
    let reader = reader(99, 99);
    let with = |name: &'static str, value: &'static str| {
        let mut request = post("{}");
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        request
    };
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        pass(&reader, with("content-type", content_type))
            .await
            .unwrap();
    }
    for content_type in ["text/plain", "application/json5", "application/yaml", ""] {
        let rejected = pass(&reader, with("content-type", content_type))
            .await
            .unwrap_err();
        assert_eq!(rejected, RequestRejected::ContentType, "{content_type}");
    }
    let mut none = post("{}");
    none.headers_mut().remove("content-type");
    assert_eq!(
        pass(&reader, none).await.unwrap_err(),
        RequestRejected::ContentType
    );
    pass(&reader, with("content-encoding", "identity"))
        .await
        .unwrap();
    for encoding in ["gzip", "br", "gzip, identity"] {
        let rejected = pass(&reader, with("content-encoding", encoding))
            .await
            .unwrap_err();
        assert_eq!(rejected, RequestRejected::ContentEncoding, "{encoding}");
    }
}

#[tokio::test]
async fn a_traceparent_is_kept_where_it_is_valid() {
    let reader = reader(99, 99);
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = post("{}");
    request
        .headers_mut()
        .insert("traceparent", HeaderValue::from_static(good));
    let trace = pass(&reader, request).await.unwrap().traceparent.unwrap();
    assert_eq!(trace.as_str(), good);
    for bad in [
        "",
        "00-x-y-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473G-00f067aa0ba902b7-01",
    ] {
        let mut request = post("{}");
        request
            .headers_mut()
            .insert("traceparent", HeaderValue::from_static(bad));
        assert_eq!(
            pass(&reader, request).await.unwrap().traceparent,
            None,
            "{bad}"
        );
    }
}
