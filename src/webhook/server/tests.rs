//! The gate without a connection; `tests/suite/webhook/server.rs` has the rest.

use super::*;

fn gate(body: usize, bodies: usize) -> Gate {
    Gate::new(
        Limits {
            body,
            bodies,
            ..Limits::default()
        },
        Metrics::default(),
    )
}

async fn pass(gate: &Gate, request: Request<Body>) -> Result<Admission, Refused> {
    Admission::from_request(request, gate).await
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
async fn keeps_the_budget_as_long_as_the_body_lives() {
    let gate = gate(8, 12);
    let first = pass(&gate, post("12345678")).await.unwrap();
    assert_eq!(first.body(), "12345678");
    assert_eq!(gate.0.metrics.bodies.get(), 8);
    assert_eq!(pass(&gate, post("12345")).await.unwrap_err(), Refused::Busy);
    let second = pass(&gate, post("1234")).await.unwrap();
    assert_eq!(pass(&gate, post("1")).await.unwrap_err(), Refused::Busy);
    drop(first);
    assert_eq!(gate.0.metrics.bodies.get(), 4);
    pass(&gate, post("12345678")).await.unwrap();
    drop(second);
    assert_eq!(gate.0.metrics.bodies.get(), 0);
    assert_eq!(gate.0.budget.available_permits(), 12);
}

#[tokio::test]
async fn accounts_for_a_body_of_unknown_length_as_it_grows() {
    let gate = gate(8, 8);
    let first = pass(&gate, chunked(&["ab", "", "cde"])).await.unwrap();
    assert_eq!(first.body(), "abcde");
    assert_eq!(gate.0.metrics.bodies.get(), 5);
    assert_eq!(
        pass(&gate, chunked(&["ab", "cd"])).await.unwrap_err(),
        Refused::Busy
    );
    assert_eq!(gate.0.metrics.bodies.get(), 5);
    drop(first);
    assert_eq!(
        pass(&gate, chunked(&["abcd", "efgh", "i"]))
            .await
            .unwrap_err(),
        Refused::TooLarge
    );
    assert_eq!(gate.0.budget.available_permits(), 8);
}

#[tokio::test]
async fn takes_the_limit_and_refuses_one_byte_more() {
    let gate = gate(8, 8);
    assert_eq!(pass(&gate, post("12345678")).await.unwrap().body().len(), 8);
    assert_eq!(
        pass(&gate, post("123456789")).await.unwrap_err(),
        Refused::TooLarge
    );
}

#[tokio::test]
async fn takes_plain_json_only() {
    let gate = gate(99, 99);
    let with = |name: &'static str, value: &'static str| {
        let mut request = post("{}");
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        request
    };
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        pass(&gate, with("content-type", content_type))
            .await
            .unwrap();
    }
    for content_type in ["text/plain", "application/json5", "application/yaml", ""] {
        let refused = pass(&gate, with("content-type", content_type))
            .await
            .unwrap_err();
        assert_eq!(refused, Refused::ContentType, "{content_type}");
    }
    let mut none = post("{}");
    none.headers_mut().remove("content-type");
    assert_eq!(pass(&gate, none).await.unwrap_err(), Refused::ContentType);
    pass(&gate, with("content-encoding", "identity"))
        .await
        .unwrap();
    for encoding in ["gzip", "br", "gzip, identity"] {
        let refused = pass(&gate, with("content-encoding", encoding))
            .await
            .unwrap_err();
        assert_eq!(refused, Refused::ContentEncoding, "{encoding}");
    }
}

#[tokio::test]
async fn takes_over_a_trace_that_is_one() {
    let gate = gate(99, 99);
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = post("{}");
    request
        .headers_mut()
        .insert("traceparent", HeaderValue::from_static(good));
    let trace = pass(&gate, request).await.unwrap().traceparent.unwrap();
    assert_eq!(
        (trace.as_str(), trace.trace_id()),
        (good, "4bf92f3577b34da6a3ce929d0e0e4736")
    );
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
            pass(&gate, request).await.unwrap().traceparent,
            None,
            "{bad}"
        );
    }
}
