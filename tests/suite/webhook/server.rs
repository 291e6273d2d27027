//! The server behind a real TLS client: wrong input, limits, and how it ends.

mod connections;
mod restarts;
pub(crate) mod rig;
mod tls;

use std::time::{Duration, SystemTime};

use axum::Router;
use bedrock_profiles::runtime::Shutdown;
use bedrock_profiles::runtime::admin::{self, Readiness, Registry};
use bedrock_profiles::runtime::http::{self, Bound, Drained};
use bedrock_profiles::tls::authority::Authority;
use bedrock_profiles::webhook::memory::MemoryLimits;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use rig::{Client, NAME, PANICS, Rig, Trust, WAITS, limits, names, request, review};

/// What the server sends until it closes the connection, by whatever means.
async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> String {
    String::from_utf8(until_closed_bytes(stream).await).unwrap()
}

async fn until_closed_bytes(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut received = Vec::new();
    // A connection that is reset has been closed as well.
    let _ = stream.read_to_end(&mut received).await;
    received
}

fn header(length: usize) -> String {
    format!(
        "POST /mutate HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn speaks_http_1_only() {
    let rig = Rig::start(limits()).await;
    rig.trust.connect(rig.address, &[b"h2"]).await.unwrap_err();
    let both = rig
        .trust
        .connect(rig.address, &[b"h2", b"http/1.1"])
        .await
        .unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut preface = rig.trust.connect(rig.address, &[]).await.unwrap();
    preface
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let received = until_closed(&mut preface).await;
    assert!(!received.contains("200"), "{received}");
    assert!(rig.client().await.review("ml").await.unwrap().admits());
}

#[tokio::test]
async fn invalid_requests_get_a_status_that_triggers_the_failure_policy() {
    let rig = Rig::start(limits()).await;
    let good = review("ml", 0);
    let with = |name: &'static str, value: &'static str| {
        let mut request = request(good.clone());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut get = request("");
    *get.method_mut() = hyper::Method::GET;
    let mut elsewhere = request(good.clone());
    *elsewhere.uri_mut() = "/other".parse().unwrap();
    let cases = [
        ("no JSON", request("hello"), 400),
        ("nothing", request(""), 400),
        ("truncated", request(good[..good.len() - 9].to_owned()), 400),
        (
            "no UTF-8",
            request(
                good.replace("ml", "\u{7f}")
                    .into_bytes()
                    .iter()
                    .map(|b| if *b == 0x7f { 0xff } else { *b })
                    .collect::<Vec<_>>(),
            ),
            400,
        ),
        ("no uid", request(good.replace(r#""uid":"u-1","#, "")), 422),
        (
            "wrong kind",
            request(good.replace("AdmissionReview", "ConversionReview")),
            422,
        ),
        (
            "wrong version",
            request(good.replace("k8s.io/v1", "k8s.io/v1beta1")),
            422,
        ),
        ("gzip", with("content-encoding", "gzip"), 415),
        ("YAML", with("content-type", "application/yaml"), 415),
        ("15 MiB", request(review("ml", 15 << 20)), 413),
        ("no POST", get, 405),
        ("no route", elsewhere, 404),
    ];
    for (what, request, status) in cases {
        let reply = rig.client().await.send(request).await.unwrap();
        assert_eq!(reply.status.as_u16(), status, "{what}: {:?}", reply.body);
    }
    let largest = request(review("ml", (14 << 20) - 1000));
    assert!(rig.client().await.send(largest).await.unwrap().admits());
}

#[tokio::test]
async fn a_body_short_of_its_declared_length_is_never_admitted() {
    let rig = Rig::start(limits()).await;
    let body = review("ml", 0);
    let mut stream = rig.raw().await;
    stream
        .write_all(header(body.len() + 1).as_bytes())
        .await
        .unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let received = until_closed(&mut stream).await;
    assert!(!received.contains("200 OK"), "{received}");
    // What is longer than declared is not part of the review, and what follows is not a request.
    let mut stream = rig.raw().await;
    stream
        .write_all(format!("{}{body}trailing\r\n\r\n", header(body.len())).as_bytes())
        .await
        .unwrap();
    let received = until_closed(&mut stream).await;
    assert_eq!(received.matches("200 OK").count(), 1, "{received}");
    assert_eq!(received.matches("400 Bad Request").count(), 1, "{received}");
}

#[tokio::test]
async fn ends_a_slow_body() {
    let rig = Rig::start({
        let mut limits = limits();
        limits.body_time = Duration::from_millis(300);
        limits
    })
    .await;
    for sent in ["", "{\"kind\":"] {
        let mut stream = rig.raw().await;
        stream
            .write_all(format!("{}{sent}", header(1000)).as_bytes())
            .await
            .unwrap();
        let received = until_closed(&mut stream).await;
        assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
        assert!(received.contains("connection: close"), "{received}");
    }
    assert!(rig.client().await.review("ml").await.unwrap().admits());
}

#[tokio::test]
async fn the_callers_own_deadline_ends_a_slow_body_too() {
    let rig = Rig::start(limits()).await;
    let mut stream = rig.raw().await;
    let header = header(1000).replace("/mutate", "/mutate?timeout=200ms");
    stream.write_all(header.as_bytes()).await.unwrap();
    let received = until_closed(&mut stream).await;
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
}

#[tokio::test]
async fn idle_and_slow_connections_are_closed() {
    let mut limits = limits();
    limits.connections.handshake = Duration::from_secs(1);
    limits.connections.first_request = Duration::from_secs(1);
    let rig = Rig::start(limits).await;

    let mut no_handshake = TcpStream::connect(rig.address).await.unwrap();
    assert_eq!(until_closed(&mut no_handshake).await, "");
    assert_eq!(
        rig.metric("connections_lost_total{reason=\"HandshakeTimeout\"}"),
        Some(1)
    );

    for received in ["", "POST /mutate HTTP/1.1\r\nhost: a\r\n"] {
        let mut stream = rig.raw().await;
        stream.write_all(received.as_bytes()).await.unwrap();
        assert_eq!(until_closed(&mut stream).await, "");
    }
    assert_eq!(
        rig.metric("connections_lost_total{reason=\"FirstRequestTimeout\"}"),
        Some(2)
    );
}

#[tokio::test]
async fn an_idle_connection_outlives_the_time_for_a_first_request_but_not_its_own() {
    let mut limits = limits();
    limits.connections.first_request = Duration::from_millis(500);
    limits.connections.idle = Duration::from_hours(1);
    let rig = Rig::start(limits).await;
    let mut client = rig.client().await;
    assert!(client.review("ml").await.unwrap().admits());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(client.review("ml").await.unwrap().admits());

    limits.connections.idle = Duration::from_secs(1);
    let rig = Rig::start(limits).await;
    let mut client = rig.client().await;
    assert!(client.review("ml").await.unwrap().admits());
    client.closed().await;
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_sent_elsewhere() {
    let mut limits = limits();
    limits.body = 1 << 20;
    limits.memory = MemoryLimits {
        total: 1 << 20,
        kept: 0,
        small: 0,
    };
    let rig = Rig::start(limits).await;
    let mut first = rig.client().await;
    let waiting = tokio::spawn(async move { first.send(request(review(WAITS, 900 << 10))).await });
    rig.waiting().await;

    let mut second = rig.client().await;
    let reply = second.send(request(review("ml", 200 << 10))).await.unwrap();
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.retry_after.as_deref(), Some("1"));
    assert!(reply.closes);
    second.closed().await;
    assert!(
        rig.client()
            .await
            .send(request(review("ml", 50 << 10)))
            .await
            .unwrap()
            .admits()
    );

    rig.release();
    assert!(waiting.await.unwrap().unwrap().admits());
    assert!(
        rig.client()
            .await
            .send(request(review("ml", 900 << 10)))
            .await
            .unwrap()
            .admits()
    );
    assert_eq!(
        rig.metric("requests_rejected_total{reason=\"Busy\"}"),
        Some(1)
    );
}

#[tokio::test]
async fn a_panic_costs_one_review_and_not_the_connection() {
    let rig = Rig::start(limits()).await;
    let mut client = rig.client().await;
    let reply = client.review(PANICS).await.unwrap();
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!reply.closes);
    assert!(client.review("ml").await.unwrap().admits());
    assert_eq!(rig.metric("requests_panicked_total"), Some(1));
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_alone() {
    let rig = Rig::start(limits()).await;
    let mut old = rig.client().await;
    assert!(old.review("ml").await.unwrap().admits());

    let authority = Authority::new("test CA", SystemTime::now()).unwrap();
    rig.resolver
        .replace(authority.issue(&names(), SystemTime::now()).unwrap().pair);
    assert!(old.review("ml").await.unwrap().admits());
    assert!(Client::connect(rig.address, &rig.trust).await.is_err());
    let mut new = Client::connect(rig.address, &Trust::new(&authority))
        .await
        .unwrap();
    assert!(new.review("ml").await.unwrap().admits());
    assert!(old.review("ml").await.unwrap().admits());
}

#[tokio::test]
async fn a_lame_duck_accepts_and_closes_the_connection_with_each_response() {
    let mut limits = limits();
    limits.connections.lame_duck = Duration::from_hours(1);
    let rig = Rig::start(limits).await;
    let mut idle = rig.client().await;
    let reply = idle.review("ml").await.unwrap();
    assert!(reply.admits() && !reply.closes);
    let mut busy = rig.client().await;
    let in_flight = tokio::spawn(async move { busy.review(WAITS).await });
    rig.waiting().await;

    rig.shutdown.drain();
    let reply = idle.review("ml").await.unwrap();
    assert!(reply.admits() && reply.closes);
    idle.closed().await;
    let mut new = rig.client().await;
    let reply = new.review("ml").await.unwrap();
    assert!(reply.admits() && reply.closes);
    rig.release();
    let reply = in_flight.await.unwrap().unwrap();
    assert!(reply.admits() && reply.closes);

    rig.shutdown.abort();
    assert_eq!(rig.ended().await, Drained { cut: 0 });
}

#[tokio::test]
async fn draining_finishes_requests_in_flight_and_closes_idle_connections() {
    let rig = Rig::start(limits()).await;
    let mut idle = rig.client().await;
    assert!(idle.review("ml").await.unwrap().admits());
    // A client that has connected and has not said anything yet is waited for, but not for ever.
    let mut silent = rig.raw().await;
    let mut busy = rig.client().await;
    let in_flight = tokio::spawn(async move { busy.review(WAITS).await });
    rig.waiting().await;

    rig.shutdown.drain();
    idle.closed().await;
    assert_eq!(until_closed(&mut silent).await, "");
    assert!(TcpStream::connect(rig.address).await.is_err());
    rig.release();
    let reply = in_flight.await.unwrap().unwrap();
    assert!(reply.admits() && reply.closes);
    assert_eq!(rig.ended().await, Drained { cut: 0 });
}

#[tokio::test]
async fn requests_in_flight_are_cut_at_the_drain_deadline_or_a_second_signal() {
    let mut limits = limits();
    limits.connections.in_flight = Duration::from_millis(50);
    for abort in [false, true] {
        if abort {
            limits.connections.in_flight = Duration::from_hours(1);
            limits.connections.lame_duck = Duration::from_hours(1);
        }
        let rig = Rig::start(limits).await;
        let mut busy = rig.client().await;
        let in_flight = tokio::spawn(async move { busy.review(WAITS).await });
        rig.waiting().await;
        rig.shutdown.drain();
        if abort {
            rig.shutdown.abort();
        }
        assert_eq!(rig.ended().await, Drained { cut: 1 });
        assert!(in_flight.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn runs_twice_in_one_process() {
    let (one, two) = (Rig::start(limits()).await, Rig::start(limits()).await);
    one.shutdown.drain();
    assert!(two.client().await.review("ml").await.unwrap().admits());
    let address = one.address;
    one.ended().await;
    assert!(two.client().await.review("ml").await.unwrap().admits());
    // The port is free again.
    Bound::new(address).await.unwrap();
    let error = Bound::new(two.address).await.unwrap_err();
    assert!(
        error.to_string().contains(&two.address.to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn the_admin_port_reports_draining() {
    async fn get(router: &Router, path: &str) -> StatusCode {
        let bound = Bound::new(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = bound.address();
        let limits = http::ConnectionLimits {
            lame_duck: Duration::ZERO,
            ..http::ConnectionLimits::default()
        };
        let shutdown = Shutdown::new();
        let server = bound.server(
            router.clone(),
            None,
            limits,
            http::Metrics::default(),
            shutdown.clone(),
        );
        let running = tokio::spawn(server.run());
        let stream = hyper_util::rt::TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get(path)
            .header("host", "a")
            .body(Full::<Bytes>::default())
            .unwrap();
        let status = sender.send_request(request).await.unwrap().status();
        shutdown.drain();
        running.await.unwrap();
        connection.await.unwrap().unwrap();
        status
    }
    let shutdown = Shutdown::new();
    let readiness = Readiness::new(shutdown.clone());
    let hold = readiness.hold("a snapshot");
    let router = admin::router(readiness, Registry::default());
    assert_eq!(
        get(&router, "/readyz").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    hold.release();
    assert_eq!(get(&router, "/readyz").await, StatusCode::OK);
    shutdown.drain();
    assert_eq!(
        get(&router, "/readyz").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(get(&router, "/livez").await, StatusCode::OK);
    assert_eq!(get(&router, "/metrics").await, StatusCode::OK);
}
