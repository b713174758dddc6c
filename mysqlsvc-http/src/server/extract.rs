//! Input, read strictly: what is wrong is named.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use mysqlsvc_core::NodeId;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::{Failure, Kind};

/// Longest body that is read, in bytes. The longest there is has a few hundred.
const LONGEST_BODY: usize = 64 << 10;
/// How long a body may take to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// A body of `application/json`.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        parse(&read(&parts.headers, body).await?).map(Self)
    }
}

/// A body of `application/json` that may be missing.
#[derive(Debug)]
pub(super) struct MaybeJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        let body = read(&parts.headers, body).await?;
        if body.is_empty() { Ok(Self(T::default())) } else { parse(&body).map(Self) }
    }
}

/// No body, or an empty object, of `application/json`.
#[derive(Debug)]
pub(super) struct NoArguments;

impl<S: Sync> FromRequest<S> for NoArguments {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        #[derive(Default, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        MaybeJson::<Nothing>::from_request(request, state).await.map(|_| Self)
    }
}

/// A page of another site can send a POST here, but not one of this type (CONTRACTS 3).
fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
    let given =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = match given {
        "" => "the header Content-Type is missing; send application/json".to_owned(),
        given => format!("Content-Type is `{given}`; send application/json"),
    };
    Err(Failure::new(Kind::NotJson, detail))
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Failure> {
    let too_large = || {
        let detail = format!("the body is longer than {LONGEST_BODY} bytes");
        Failure::new(Kind::TooLarge, detail)
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY) {
        return Err(too_large());
    }
    match timeout(BODY_LIMIT, to_bytes(body, LONGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(error)) => Err(Failure::malformed(format!("the body could not be read: {error}"))),
        Err(_) => Err(Failure::malformed(format!("the body did not arrive within {BODY_LIMIT:?}"))),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner();
        Failure::malformed(match path.as_str() {
            "." => format!("the body is not as expected: {problem}"),
            path => format!("`{path}` is not as expected: {problem}"),
        })
    })?;
    deserializer
        .end()
        .map_err(|error| Failure::malformed(format!("the body is not one document: {error}")))?;
    Ok(value)
}

/// The query.
#[derive(Debug)]
pub(super) struct Arguments<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Arguments<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::malformed(rejection.body_text())),
        }
    }
}

/// The names in the path.
#[derive(Debug)]
pub(super) struct Names<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Names<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Self(names)),
            Err(rejection) => Err(Failure::malformed(rejection.body_text())),
        }
    }
}

/// An address given in `field`.
pub(super) fn node_id(field: &str, text: &str) -> Result<NodeId, Failure> {
    text.parse().map_err(|error| Failure::malformed(format!("`{field}`: {error}")))
}
