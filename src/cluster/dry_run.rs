//! Creating an object as a dry run: the API server does all that it does for a real one, and stores nothing.

use hyper::header::WARNING;
use kube::api::PostParams;
use kube::client::Body;
use kube::core::{Request, Status};

use super::list::Pager;
use crate::runtime::error_text::error_text;

/// Why a dry run has no object as its response.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// The API server refuses the object.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// There is no response.
    #[error("{0}")]
    NoResponse(String),
}

/// The response to a dry run.
#[derive(Debug)]
pub struct DryRunResponse {
    /// The object as it would be stored, as JSON.
    pub created: Result<String, DryRunError>,
    /// The warnings of the API server and of webhooks.
    pub warnings: Vec<String>,
}

/// The path, if it is no more than that: behind a query or a fragment, the API server would not get the parameter of the dry run.
fn path_alone(path: &str) -> Result<&str, DryRunError> {
    if path.contains(['?', '#']) {
        return Err(DryRunError::NoResponse(format!("`{path}` is no path")));
    }
    Ok(path)
}

impl Pager {
    /// Creates an object in the list at `path`, as a dry run by this field manager, and returns it as it would be stored, as JSON.
    ///
    /// # Errors
    /// [`DryRunError`].
    pub async fn create_dry_run(
        &self,
        path: &str,
        field_manager: Option<String>,
        object: Vec<u8>,
    ) -> Result<String, DryRunError> {
        let response = self.create_dry_run_with_warnings(path, field_manager, object);
        response.await.created
    }

    /// As [`Pager::create_dry_run`], with the warnings, which a response has even if the object is refused.
    pub async fn create_dry_run_with_warnings(
        &self,
        path: &str,
        field_manager: Option<String>,
        object: Vec<u8>,
    ) -> DryRunResponse {
        let mut warnings = Vec::new();
        let created = self.post_dry_run(path, field_manager, object, &mut warnings);
        let created = match self.request_timeout {
            None => created.await,
            Some(limit) => match tokio::time::timeout(limit, created).await {
                Ok(created) => created,
                Err(late) => Err(no_response(&late)),
            },
        };
        DryRunResponse { created, warnings }
    }

    async fn post_dry_run(
        &self,
        path: &str,
        field_manager: Option<String>,
        object: Vec<u8>,
        warnings: &mut Vec<String>,
    ) -> Result<String, DryRunError> {
        let params = PostParams {
            dry_run: true,
            field_manager,
        };
        let request = Request::new(path_alone(path)?).create(&params, object);
        let request = request.map_err(|error| no_response(&error))?;
        let response = self.client.send(request.map(Body::from)).await;
        let (head, body) = response.map_err(|error| no_response(&error))?.into_parts();
        let texts = head.headers.get_all(WARNING).iter();
        let texts = texts.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        warnings.extend(texts.filter_map(warning_text));
        let body = body.collect_bytes().await;
        let body = body.map_err(|error| no_response(&error))?;
        let text = String::from_utf8_lossy(&body).into_owned();
        if head.status.is_success() {
            return Ok(text);
        }
        match serde_json::from_str::<Status>(&text) {
            Ok(status) => Err(DryRunError::Refused(Box::new(status))),
            Err(_) => Err(DryRunError::NoResponse(format!("status {}", head.status))),
        }
    }
}

fn no_response(error: &(dyn std::error::Error + 'static)) -> DryRunError {
    DryRunError::NoResponse(error_text(error))
}

/// The text of a header `Warning`, whose form is `299 - "text"`.
fn warning_text(header: &str) -> Option<String> {
    let (_, quoted) = header.split_once('"')?;
    let (mut text, mut escaped) = (String::new(), false);
    for character in quoted.chars() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some(text),
            other => {
                text.push(other);
                escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_warning_is_unquoted() {
        let text = |header| warning_text(header);
        assert_eq!(text(r#"299 - "a b""#).unwrap(), "a b");
        assert_eq!(
            text(r#"299 - "a \"b\" \\ c" "date""#).unwrap(),
            r#"a "b" \ c"#
        );
        assert_eq!(text("299 - none"), None);
        assert_eq!(text(r#"299 - "open"#), None);
    }

    #[test]
    fn nothing_is_before_the_parameter_of_the_dry_run() {
        let path = "/api/v1/namespaces/ml/pods";
        assert_eq!(path_alone(path).unwrap(), path);
        for path in [
            "/api/v1/namespaces/ml/pods#/pods",
            "/api/v1/namespaces/ml?x/pods",
        ] {
            assert!(path_alone(path).is_err(), "{path}");
        }
    }
}
