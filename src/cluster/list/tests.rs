use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use hyper::{Request, Response};
use kube::client::Body;
use serde_json::json;

use super::*;

fn after(limit: u32, objects: usize, bytes: usize) -> u32 {
    let metadata = ListMetadata::default();
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
fn pages_hold_at_most_eight_megabytes_of_objects_twice_as_large_as_the_last() {
    for each in [1, 500, 20_000, 100 * 1024, 1024 * 1024, 3 * 1024 * 1024] {
        let mut limit = FIRST;
        for _ in 0..6 {
            let objects = limit as usize;
            let next = after(limit, objects, objects * each);
            assert!(next <= limit * GROWTH && (1..=MOST).contains(&next));
            assert!(
                next == 1 || next as usize * each * 2 <= 2 * PAGE,
                "{each}: {next}"
            );
            limit = next;
        }
    }
    assert_eq!(after(8, 8, 800), 32);
    assert_eq!(after(400, 400, 40_000), MOST);
    assert_eq!(after(8, 0, 100), 32, "an empty page says nothing");
}

#[tokio::test]
async fn pauses_make_up_for_the_pace() {
    let (mut pager, _) = server(&[]);
    pager.pace = NonZero::new(100);
    let second = Duration::from_secs(1);
    assert_eq!(pager.pause(500, second), 4 * second);
    assert_eq!(pager.pause(50, second), Duration::ZERO);
    pager.pace = None;
    assert_eq!(pager.pause(500, Duration::ZERO), Duration::ZERO);
}

#[test]
fn an_expired_list_goes_on_with_the_token_that_the_refusal_carries() {
    let status: kube::core::Status = serde_json::from_value(serde_json::json!({
        "kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old",
        "metadata": {"continue": "next"},
    }))
    .unwrap();
    let with = failure(kube::Error::Api(status.clone().boxed()));
    assert!(matches!(with, Failure::Expired(Some(token)) if token == "next"));
    let mut bare = status;
    bare.metadata = None;
    let without = failure(kube::Error::Api(bare.boxed()));
    assert!(matches!(without, Failure::Expired(None)));
}

/// An API server that answers with these texts, one after the other, and notes what it was asked.
fn server(answers: &[(u16, String)]) -> (Pager, Arc<Mutex<Vec<String>>>) {
    let answers = Mutex::new(answers.iter().cloned().collect::<VecDeque<_>>());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        notes.lock().unwrap().push(request.uri().to_string());
        let (code, text) = answers.lock().unwrap().pop_front().unwrap();
        let response = Response::builder()
            .status(code)
            .body(Body::from(text.into_bytes()));
        std::future::ready(response)
    });
    let client = Client::new(service, "default");
    (Pager { client, pace: None }, asked)
}

fn page(names: &[&str], next: &str) -> (u16, String) {
    let items: Vec<_> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name}}))
        .collect();
    let list = json!({"kind": "PodList", "metadata": {"continue": next}, "items": items});
    (200, list.to_string())
}

fn refusal(code: u16, next: &str) -> (u16, String) {
    let status = json!({"kind": "Status", "status": "Failure", "reason": "R", "message": "m", "code": code, "metadata": {"continue": next}});
    (code, status.to_string())
}

#[derive(Default)]
struct Names {
    whole: Vec<String>,
    page: Vec<String>,
}

impl Items for Names {
    fn take(&mut self, item: &str) {
        let item: serde_json::Value = serde_json::from_str(item).unwrap();
        self.page
            .push(item["metadata"]["name"].as_str().unwrap().to_owned());
    }

    fn commit(&mut self) {
        self.whole.append(&mut self.page);
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

async fn read(answers: &[(u16, String)]) -> (Result<(), Gap>, Vec<String>, Vec<String>) {
    let (pager, asked) = server(answers);
    let list = List {
        path: "/api/v1/pods".to_owned(),
        ..List::default()
    };
    let mut names = Names::default();
    let read = pager.read(&list, &mut names).await;
    let asked = asked.lock().unwrap().clone();
    (read, names.whole, asked)
}

#[tokio::test(start_paused = true)]
async fn a_list_that_expires_goes_on_where_it_stood() {
    let answers = [
        page(&["a", "b"], "one"),
        refusal(410, "two"),
        page(&["c"], ""),
    ];
    let (end, names, asked) = read(&answers).await;
    assert_eq!(end, Ok(()));
    assert_eq!(names, ["a", "b", "c"]);
    assert!(
        asked[1].contains("continue=one") && asked[2].contains("continue=two"),
        "{asked:?}"
    );
    let answers = [page(&["a"], "one"), refusal(410, "")];
    let (end, names, _) = read(&answers).await;
    assert_eq!((end, names.len()), (Err(Gap::Expired), 1));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_off_is_read_again_and_what_is_refused_is_not() {
    let (_, whole) = page(&["a", "b"], "");
    let cut = (200, whole[..whole.len() - 9].to_owned());
    let (end, names, asked) = read(&[cut.clone(), (200, whole)]).await;
    assert_eq!((end, names), (Ok(()), vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(asked[0], asked[1]);
    let (end, names, _) = read(&vec![cut; TRIES as usize]).await;
    assert!(matches!(end, Err(Gap::Broken(_))) && names.is_empty());
    for (code, gap) in [(403, Gap::Forbidden), (404, Gap::Missing)] {
        let (end, _, asked) = read(&[refusal(code, "")]).await;
        assert_eq!((end, asked.len()), (Err(gap), 1));
    }
}
