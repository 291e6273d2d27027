//! The number of connections, clients that do not read, and the connections of the last moment of a drain.

use std::time::Duration;

use bedrock_profiles::runtime::http::Drained;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::rig::{Client, Rig, WAITS, limits};
use super::{header, until_closed};

#[tokio::test]
async fn a_connection_beyond_the_limit_takes_the_place_of_the_one_that_waits_longest() {
    let mut limits = limits();
    limits.connections.connections = 3;
    limits.connections.first_request = Duration::from_hours(1);
    let rig = Rig::start(limits).await;
    let mut idle = rig.client().await;
    assert!(idle.review("ml").await.unwrap().admits());
    let mut busy = rig.client().await;
    let in_flight = tokio::spawn(async move { busy.review(WAITS).await });
    rig.waiting().await;
    let mut silent = rig.raw().await;

    let mut new = rig.client().await;
    assert_eq!(until_closed(&mut silent).await, "");
    assert!(new.review("ml").await.unwrap().admits());
    assert!(idle.review("ml").await.unwrap().admits());
    // Now `new` waits longest, since `idle` has had a response after it.
    let mut newer = rig.client().await;
    new.closed().await;
    assert!(newer.review("ml").await.unwrap().admits());
    assert!(idle.review("ml").await.unwrap().admits());
    assert_eq!(
        rig.metric("connections_lost_total{reason=\"Replaced\"}"),
        Some(2)
    );
    rig.release();
    assert!(in_flight.await.unwrap().unwrap().admits());
}

#[tokio::test]
async fn a_request_that_does_not_arrive_keeps_no_place() {
    let mut limits = limits();
    limits.connections.connections = 1;
    limits.body_time = Duration::from_hours(1);
    let rig = Rig::start(limits).await;
    let mut stalled = rig.raw().await;
    let begin = format!("{}{{", header(1000));
    stalled.write_all(begin.as_bytes()).await.unwrap();
    while rig.metric("reserved_bytes") != Some(1) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(rig.client().await.review("ml").await.unwrap().admits());
    assert_eq!(until_closed(&mut stalled).await, "");
}

#[tokio::test]
async fn a_connection_is_refused_where_all_have_a_request_in_flight() {
    let mut limits = limits();
    limits.connections.connections = 2;
    let rig = Rig::start(limits).await;
    let mut in_flight = Vec::new();
    for _ in 0..2 {
        let mut client = rig.client().await;
        in_flight.push(tokio::spawn(async move { client.review(WAITS).await }));
        rig.waiting().await;
    }
    assert!(Client::connect(rig.address, &rig.trust).await.is_err());
    assert_eq!(
        rig.metric("connections_lost_total{reason=\"TooMany\"}"),
        Some(1)
    );
    for one in in_flight {
        rig.release();
        assert!(one.await.unwrap().unwrap().admits());
    }
    assert!(rig.client().await.review("ml").await.unwrap().admits());
}

#[tokio::test]
async fn a_client_that_reads_no_responses_is_closed() {
    let mut limits = limits();
    limits.connections.write = Duration::from_millis(200);
    let rig = Rig::start(limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    // A small buffer is full after fewer responses.
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(rig.address).await.unwrap();
    let mut stream = rig.trust.handshake(stream).await.unwrap();
    let pipelined = "GET /none HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100);
    let unread = async { while stream.write_all(pipelined.as_bytes()).await.is_ok() {} };
    let closed = timeout(Duration::from_mins(1), unread).await;
    assert!(closed.is_ok(), "the server keeps the connection");
    assert!(rig.client().await.review("ml").await.unwrap().admits());
}

#[tokio::test]
async fn a_request_on_a_connection_of_the_last_moment_is_answered() {
    let mut limits = limits();
    limits.connections.last_request = Duration::from_hours(1);
    limits.connections.in_flight = Duration::from_hours(1);
    let rig = Rig::start(limits).await;
    // One with a handshake, one without.
    let mut connected = rig.client().await;
    let early = TcpStream::connect(rig.address).await.unwrap();
    rig.shutdown.drain();
    while TcpStream::connect(rig.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let reply = connected.review("ml").await.unwrap();
    assert!(reply.admits() && reply.closes);
    let mut late = Client::over(rig.trust.handshake(early).await.unwrap())
        .await
        .unwrap();
    let reply = late.review("ml").await.unwrap();
    assert!(reply.admits() && reply.closes);
    assert_eq!(rig.ended().await, Drained { cut: 0 });
}
