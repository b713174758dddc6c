//! How one call is made and its answer read.

use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{ApiClient, ApiError};
use crate::client::body::{BodyError, excerpt, parse_problem, read_body, with_causes};
use crate::wire::OperationDocument;

/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 16 << 20;

impl ApiClient {
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ApiError> {
        self.call(self.api(Method::GET, path), self.limit).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
    ) -> Result<T, ApiError> {
        self.call(self.api(Method::POST, path).json(body), self.limit).await
    }

    pub(super) async fn submit(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
        wait: Option<Duration>,
    ) -> Result<OperationDocument, ApiError> {
        let mut request = self.api(Method::POST, path).json(body);
        if let Some(wait) = wait {
            request = request.query(&[("wait", format!("{}ms", wait.as_millis()))]);
        }
        let limit = self.limit.saturating_add(wait.unwrap_or_default());
        self.call(request, limit).await
    }

    fn api(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let whole: Vec<&str> = ["api", "v1"].iter().chain(path).copied().collect();
        self.request(method, &whole)
    }

    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let request = self.http.request(method, self.monitor.endpoint(path));
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<T, ApiError> {
        let (status, body) = timeout(limit, self.exchange(request))
            .await
            .map_err(|_| ApiError::TimedOut { monitor: self.monitor.clone(), limit })??;
        self.read(status, &body)
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<(u16, Vec<u8>), ApiError> {
        let unreachable = |reason| ApiError::Unreachable { monitor: self.monitor.clone(), reason };
        let response = request.send().await.map_err(|error| unreachable(with_causes(&error)))?;
        let status = response.status().as_u16();
        match read_body(response, LONGEST_ANSWER).await {
            Ok(body) => Ok((status, body)),
            Err(BodyError::Http(error)) => Err(unreachable(with_causes(&error))),
            Err(error) => Err(self.not_understood(status, error.to_string(), b"")),
        }
    }

    /// A health document arrives with 503 as well, so what fits is taken before the status counts.
    fn read<T: DeserializeOwned>(&self, status: u16, body: &[u8]) -> Result<T, ApiError> {
        if status >= 400
            && let Some(problem) = parse_problem(status, body)
        {
            return Err(ApiError::Problem(Box::new(problem)));
        }
        if !(200..300).contains(&status) && status != 503 {
            let reason = "no problem document comes with it".to_owned();
            return Err(self.not_understood(status, reason, body));
        }
        serde_json::from_slice(body)
            .map_err(|error| self.not_understood(status, error.to_string(), body))
    }

    fn not_understood(&self, status: u16, reason: String, body: &[u8]) -> ApiError {
        ApiError::NotUnderstood {
            monitor: self.monitor.clone(),
            status,
            reason,
            excerpt: excerpt(body),
        }
    }
}
