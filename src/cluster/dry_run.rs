//! Creating an object as a dry run: the API server does all that it does for a real one, and stores nothing.

use kube::api::PostParams;
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
        let params = PostParams {
            dry_run: true,
            field_manager,
        };
        let no_response =
            |error: &(dyn std::error::Error + 'static)| DryRunError::NoResponse(error_text(error));
        let request = Request::new(path_alone(path)?).create(&params, object);
        let request = request.map_err(|error| no_response(&error))?;
        let response = self.client.request_text(request);
        let response = match self.request_timeout {
            None => Ok(response.await),
            Some(limit) => tokio::time::timeout(limit, response).await,
        };
        match response {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(kube::Error::Api(status))) => Err(DryRunError::Refused(status)),
            Ok(Err(error)) => Err(no_response(&error)),
            Err(late) => Err(no_response(&late)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
