//! Without a login, being reached by way of this machine is all that protects the API. So a page of
//! another site must not come in: neither by sending a form here (Origin), nor by a name of its own
//! that resolves to us (Host).

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    ServerState,
    problem::{Failure, Kind},
};

/// Lets requests in that are addressed to us and come from nobody else's page.
pub(super) async fn only_our_own(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    match check(request.headers(), request.uri(), state.hosts()) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// Proxies are no browsers: on their address nothing that a page sends is let in.
pub(super) async fn no_pages(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        let detail = "this address is for proxies; pages call the API's";
        return Failure::new(Kind::ForeignOrigin, detail).into_response();
    }
    next.run(request).await
}

fn check(headers: &HeaderMap, uri: &Uri, hosts: &[String]) -> Result<(), Failure> {
    let host = headers
        .get(header::HOST)
        .map(|value| value.to_str().unwrap_or_default())
        .or_else(|| uri.authority().map(Authority::as_str));
    if let Some(host) = host
        && !is_own(host, hosts)
    {
        let detail = format!(
            "`Host: {host}` is not a name of this service; use 127.0.0.1, localhost or [::1]"
        );
        return Err(Failure::new(Kind::ForeignHost, detail));
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let from_us = origin
        .strip_prefix("http://")
        .is_some_and(|place| is_own(place, hosts) && Some(place) == host);
    if from_us {
        return Ok(());
    }
    let detail = format!("`Origin: {origin}` is another site; call from this service's own pages");
    Err(Failure::new(Kind::ForeignOrigin, detail))
}

/// Whether `host[:port]` is a loopback name or address, or one of `hosts`.
fn is_own(place: &str, hosts: &[String]) -> bool {
    let Ok(authority) = place.parse::<Authority>() else {
        return false;
    };
    // User information has no business in either header.
    if place.contains('@') {
        return false;
    }
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback
        || bare.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|own| own.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn checked(host: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        check(&headers, &Uri::from_static("/"), &["web-1".to_owned()]).is_ok()
    }

    #[test]
    fn loopback_names_and_configured_ones_are_our_own() {
        for host in
            ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.8.9.1", "web-1:8080"]
        {
            assert!(checked(Some(host), None), "{host}");
        }
        assert!(checked(None, None));
    }

    #[test]
    fn a_name_that_merely_resolves_to_us_is_foreign() {
        for host in [
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:8080",
            "localhost@evil.example",
            "",
        ] {
            assert!(!checked(Some(host), None), "{host}");
        }
    }

    #[test]
    fn an_origin_must_be_the_very_place_that_is_called() {
        let host = Some("127.0.0.1:8080");
        assert!(checked(host, Some("http://127.0.0.1:8080")));
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:9999",
            "http://localhost:8080",
            "https://127.0.0.1:8080",
            "null",
            "",
        ] {
            assert!(!checked(host, Some(origin)), "{origin}");
        }
    }
}
