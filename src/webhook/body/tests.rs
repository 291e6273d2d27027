//! Bodies without a connection; `tests/suite/webhook/server.rs` has the rest.

use super::*;

fn budget(body: usize, bodies: usize) -> BodyBudget {
    BodyBudget::new(
        ServerLimits {
            body,
            bodies,
            ..ServerLimits::default()
        },
        Metrics::register(&mut Registry::default()),
    )
}

async fn pass(
    budget: &BodyBudget,
    request: Request<Body>,
) -> Result<ReviewRequest, RequestRejected> {
    ReviewRequest::from_request(request, budget).await
}

fn post(body: &str) -> Request<Body> {
    let body = Body::from(body.to_owned());
    Request::post("/mutate?timeout=2s")
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

/// A body of unknown length.
fn chunked(pieces: &'static [&'static str]) -> Request<Body> {
    struct Chunks(std::slice::Iter<'static, &'static str>);
    impl hyper::body::Body for Chunks {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            let piece = self
                .0
                .next()
                .map(|piece| Ok(hyper::body::Frame::data(Bytes::from(*piece))));
            std::task::Poll::Ready(piece)
        }
    }
    post("").map(|_| Body::new(Chunks(pieces.iter())))
}

#[tokio::test]
async fn a_body_holds_its_part_of_the_budget_until_it_is_dropped() {
    let budget = budget(8, 12);
    let first = pass(&budget, post("12345678")).await.unwrap();
    assert_eq!(first.body(), "12345678");
    assert_eq!(budget.0.metrics.bodies.get(), 8);
    assert_eq!(
        pass(&budget, post("12345")).await.unwrap_err(),
        RequestRejected::Busy
    );
    let second = pass(&budget, post("1234")).await.unwrap();
    assert_eq!(
        pass(&budget, post("1")).await.unwrap_err(),
        RequestRejected::Busy
    );
    drop(first);
    assert_eq!(budget.0.metrics.bodies.get(), 4);
    pass(&budget, post("12345678")).await.unwrap();
    drop(second);
    assert_eq!(budget.0.metrics.bodies.get(), 0);
    assert_eq!(budget.0.free.available_permits(), 12);
}

#[tokio::test]
async fn a_body_of_unknown_length_takes_budget_as_it_grows() {
    let budget = budget(8, 8);
    let first = pass(&budget, chunked(&["ab", "", "cde"])).await.unwrap();
    assert_eq!(first.body(), "abcde");
    assert_eq!(budget.0.metrics.bodies.get(), 5);
    assert_eq!(
        pass(&budget, chunked(&["ab", "cd"])).await.unwrap_err(),
        RequestRejected::Busy
    );
    assert_eq!(budget.0.metrics.bodies.get(), 5);
    drop(first);
    assert_eq!(
        pass(&budget, chunked(&["abcd", "efgh", "i"]))
            .await
            .unwrap_err(),
        RequestRejected::TooLarge
    );
    assert_eq!(budget.0.free.available_permits(), 8);
}

#[tokio::test]
async fn a_body_of_one_byte_more_than_the_limit_is_rejected() {
    let budget = budget(8, 8);
    assert_eq!(
        pass(&budget, post("12345678")).await.unwrap().body().len(),
        8
    );
    assert_eq!(
        pass(&budget, post("123456789")).await.unwrap_err(),
        RequestRejected::TooLarge
    );
}

#[tokio::test]
async fn a_body_that_is_not_plain_json_is_rejected() {
    let budget = budget(99, 99);
    let with = |name: &'static str, value: &'static str| {
        let mut request = post("{}");
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        request
    };
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        pass(&budget, with("content-type", content_type))
            .await
            .unwrap();
    }
    for content_type in ["text/plain", "application/json5", "application/yaml", ""] {
        let rejected = pass(&budget, with("content-type", content_type))
            .await
            .unwrap_err();
        assert_eq!(rejected, RequestRejected::ContentType, "{content_type}");
    }
    let mut none = post("{}");
    none.headers_mut().remove("content-type");
    assert_eq!(
        pass(&budget, none).await.unwrap_err(),
        RequestRejected::ContentType
    );
    pass(&budget, with("content-encoding", "identity"))
        .await
        .unwrap();
    for encoding in ["gzip", "br", "gzip, identity"] {
        let rejected = pass(&budget, with("content-encoding", encoding))
            .await
            .unwrap_err();
        assert_eq!(rejected, RequestRejected::ContentEncoding, "{encoding}");
    }
}

#[tokio::test]
async fn a_traceparent_is_kept_where_it_is_valid() {
    let budget = budget(99, 99);
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = post("{}");
    request
        .headers_mut()
        .insert("traceparent", HeaderValue::from_static(good));
    let trace = pass(&budget, request).await.unwrap().traceparent.unwrap();
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
            pass(&budget, request).await.unwrap().traceparent,
            None,
            "{bad}"
        );
    }
}
