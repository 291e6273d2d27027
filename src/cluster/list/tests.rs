use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use hyper::{Request, Response};
use kube::client::Body;
use serde_json::json;

use super::*;

fn limit_after(limit: u32, objects: usize, bytes: usize) -> u32 {
    let metadata = ListMeta::default();
    next_limit(
        limit,
        &Page {
            metadata,
            objects,
            bytes,
        },
    )
}

#[test]
fn a_page_of_objects_twice_as_large_has_at_most_eight_megabytes() {
    for each in [1, 500, 20_000, 100 * 1024, 1024 * 1024, 3 * 1024 * 1024] {
        let mut limit = FIRST_LIMIT;
        for _ in 0..6 {
            let objects = limit as usize;
            let next = limit_after(limit, objects, objects * each);
            assert!(next <= limit * MAX_GROWTH && (1..=MAX_LIMIT).contains(&next));
            assert!(
                next == 1 || next as usize * each * 2 <= 2 * TARGET_BYTES,
                "{each}: {next}"
            );
            limit = next;
        }
    }
    assert_eq!(limit_after(8, 8, 800), 32);
    assert_eq!(limit_after(400, 400, 40_000), MAX_LIMIT);
    assert_eq!(
        limit_after(8, 0, 100),
        32,
        "an empty page has no object size"
    );
}

#[tokio::test]
async fn the_pause_after_a_page_keeps_the_rate() {
    let (mut pager, _) = server(&[]);
    pager.objects_per_second = NonZero::new(100);
    let second = Duration::from_secs(1);
    assert_eq!(pager.pause(500, second), 4 * second);
    assert_eq!(pager.pause(50, second), Duration::ZERO);
    pager.objects_per_second = None;
    assert_eq!(pager.pause(500, Duration::ZERO), Duration::ZERO);
}

#[test]
fn an_expired_token_is_replaced_by_the_token_of_the_error() {
    let status: kube::core::Status = serde_json::from_value(serde_json::json!({
        "kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old",
        "metadata": {"continue": "next"},
    }))
    .unwrap();
    let with = page_error(kube::Error::Api(status.clone().boxed()));
    assert!(matches!(with, PageError::Expired(token) if token == "next"));
    let mut bare = status;
    bare.metadata = None;
    let without = page_error(kube::Error::Api(bare.boxed()));
    assert!(matches!(without, PageError::Final(ListError::Expired)));
}

/// An API server that returns these responses in turn, and records the requested URIs.
fn server(responses: &[(u16, String)]) -> (Pager, Arc<Mutex<Vec<String>>>) {
    let responses = Mutex::new(responses.iter().cloned().collect::<VecDeque<_>>());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&requests);
    let service = tower::service_fn(move |request: Request<Body>| {
        recorded.lock().unwrap().push(request.uri().to_string());
        let (code, text) = responses.lock().unwrap().pop_front().unwrap();
        let response = Response::builder()
            .status(code)
            .body(Body::from(text.into_bytes()));
        std::future::ready(response)
    });
    let client = Client::new(service, "default");
    let pager = Pager {
        client,
        objects_per_second: None,
        request_timeout: None,
    };
    (pager, requests)
}

fn page(names: &[&str], next: &str) -> (u16, String) {
    let items: Vec<_> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name}}))
        .collect();
    let list = json!({"kind": "PodList", "metadata": {"continue": next}, "items": items});
    (200, list.to_string())
}

fn failure(code: u16, next: &str) -> (u16, String) {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "R", "message": "m", "code": code, "metadata": {"continue": next}});
    (code, status.to_string())
}

#[derive(Default)]
struct Names {
    complete: Vec<String>,
    page: Vec<String>,
}

impl ItemSink for Names {
    fn add(&mut self, item: &str) {
        let item: serde_json::Value = serde_json::from_str(item).unwrap();
        self.page
            .push(item["metadata"]["name"].as_str().unwrap().to_owned());
    }

    fn commit(&mut self) {
        self.complete.append(&mut self.page);
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

async fn read(responses: &[(u16, String)]) -> (Result<(), ListError>, Vec<String>, Vec<String>) {
    let (pager, requests) = server(responses);
    let list = ListRequest {
        path: "/api/v1/pods".to_owned(),
        ..ListRequest::default()
    };
    let mut names = Names::default();
    let read = pager.read(&list, &mut names).await;
    let requests = requests.lock().unwrap().clone();
    (read, names.complete, requests)
}

#[tokio::test(start_paused = true)]
async fn an_expired_list_continues_at_the_same_object() {
    let responses = [
        page(&["a", "b"], "one"),
        failure(410, "two"),
        page(&["c"], ""),
    ];
    let (end, names, requests) = read(&responses).await;
    assert!(end.is_ok());
    assert_eq!(names, ["a", "b", "c"]);
    assert!(
        requests[1].contains("continue=one") && requests[2].contains("continue=two"),
        "{requests:?}"
    );
    let responses = [page(&["a"], "one"), failure(410, "")];
    let (end, names, _) = read(&responses).await;
    assert!(matches!(end, Err(ListError::Expired)));
    assert_eq!(names, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_page_is_read_again_and_a_forbidden_one_is_not() {
    let (_, whole) = page(&["a", "b"], "");
    let cut = (200, whole[..whole.len() - 9].to_owned());
    let (end, names, requests) = read(&[cut.clone(), (200, whole)]).await;
    assert!(end.is_ok());
    assert_eq!(names, ["a", "b"]);
    assert_eq!(requests[0], requests[1]);
    let (end, names, _) = read(&vec![cut; MAX_ATTEMPTS as usize]).await;
    assert!(matches!(end, Err(ListError::Failed(_))) && names.is_empty());
    let (end, _, requests) = read(&[failure(403, "")]).await;
    assert!(matches!(end, Err(ListError::Forbidden)));
    assert_eq!(requests.len(), 1);
    let anonymous = failure(403, "").1.replace(
        "\"m\"",
        r#""pods is forbidden: User \"system:anonymous\" cannot list resource""#,
    );
    for unknown in [failure(401, ""), (403, anonymous)] {
        let (end, _, requests) = read(&[unknown]).await;
        assert!(matches!(end, Err(ListError::NotLoggedIn)), "{end:?}");
        assert_eq!(requests.len(), 1);
    }
    let (end, _, requests) = read(&[failure(404, "")]).await;
    assert!(matches!(end, Err(ListError::NotFound)));
    assert_eq!(requests.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_collected_list_has_the_valid_items_of_every_page_once() {
    let (_, rest) = page(&["c"], "");
    let truncated = (200, rest[..rest.len() - 2].to_owned());
    let (_, first) = page(&["a", "b"], "one");
    let first = (200, first.replace("\"b\"", "7"));
    let (pager, _) = server(&[first, truncated, (200, rest)]);
    let request = ListRequest {
        path: "/api/v1/pods".to_owned(),
        ..ListRequest::default()
    };
    let pods = pager.collect::<kube::core::DynamicObject>(&request).await;
    let names: Vec<_> = pods
        .unwrap()
        .iter()
        .map(kube::ResourceExt::name_any)
        .collect();
    assert_eq!(names, ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_gives_no_response_is_unreachable_after_the_last_attempt() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let service = tower::service_fn(move |_: Request<Body>| {
        *counted.lock().unwrap() += 1;
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        std::future::ready(Err::<Response<Body>, _>(refused))
    });
    let pager = Pager {
        client: Client::new(service, "default"),
        objects_per_second: None,
        request_timeout: None,
    };
    let request = ListRequest {
        path: "/api/v1/pods".to_owned(),
        ..ListRequest::default()
    };
    let Err(error @ ListError::Unreachable(_)) = pager.read(&request, &mut Names::default()).await
    else {
        panic!("another outcome");
    };
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert_eq!(*attempts.lock().unwrap(), MAX_ATTEMPTS);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_has_failed() {
    let service = tower::service_fn(|_: Request<Body>| {
        std::future::pending::<Result<Response<Body>, std::io::Error>>()
    });
    let pager = Pager {
        client: Client::new(service, "default"),
        objects_per_second: None,
        request_timeout: Some(Duration::from_secs(3)),
    };
    let request = ListRequest {
        path: "/api/v1/pods".to_owned(),
        ..ListRequest::default()
    };
    let error = pager
        .read(&request, &mut Names::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("within 3s"), "{error}");
    let error = pager.metadata("/api/v1/namespaces", "a").await.unwrap_err();
    assert!(error.to_string().contains("within 3s"), "{error}");
}

#[tokio::test]
async fn the_metadata_of_an_object_that_is_not_there_is_none() {
    let (pager, requests) = server(&[failure(404, ""), failure(403, ""), (200, "{}".to_owned())]);
    let path = "/api/v1/namespaces";
    assert_eq!(pager.metadata(path, "a").await.unwrap(), None);
    let forbidden = pager.metadata(path, "a").await;
    assert!(matches!(forbidden, Err(ListError::Forbidden)));
    assert_eq!(pager.metadata(path, "a").await.unwrap().unwrap(), "{}");
    assert!(requests.lock().unwrap()[0].starts_with("/api/v1/namespaces/a"));
}
