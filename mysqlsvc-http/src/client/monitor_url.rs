//! The address of a monitor.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use reqwest::Url;

/// Base URL of a monitor, such as `http://web-1:6033`: `http`, with a host, without a query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MonitorUrl(Arc<Url>);

/// The text is no URL of a monitor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the URL of a monitor: {reason}; expected http://HOST:PORT")]
pub struct MonitorUrlError {
    text: String,
    reason: String,
}

impl MonitorUrl {
    /// The URL of a call: each segment is escaped, so that a node's or a proxy's name cannot change
    /// the path.
    pub(super) fn endpoint(&self, segments: &[&str]) -> Url {
        let mut url = Url::clone(&self.0);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl FromStr for MonitorUrl {
    type Err = MonitorUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            |reason: &str| MonitorUrlError { text: text.to_owned(), reason: reason.to_owned() };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if url.scheme() != "http" {
            return Err(wrong(&format!("scheme `{}` is not served", url.scheme())));
        }
        if !url.has_host() || url.cannot_be_a_base() {
            return Err(wrong("it names no host"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a query or a fragment has no meaning here"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(MonitorUrlError {
                text: "(not shown)".to_owned(),
                reason: "credentials do not belong in a URL".to_owned(),
            });
        }
        Ok(Self(Arc::new(url)))
    }
}

impl fmt::Display for MonitorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for MonitorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MonitorUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped_and_appended_to_the_base() {
        for (base, expected) in [
            ("http://web-1:6033", "http://web-1:6033/proxies/a%2Fb%3Fc/ack"),
            ("http://web-1:6033/", "http://web-1:6033/proxies/a%2Fb%3Fc/ack"),
            ("http://lb/monitor", "http://lb/monitor/proxies/a%2Fb%3Fc/ack"),
        ] {
            let url: MonitorUrl = base.parse().unwrap();
            assert_eq!(url.endpoint(&["proxies", "a/b?c", "ack"]).as_str(), expected);
        }
    }

    #[test]
    fn what_is_no_monitor_is_refused_with_the_reason() {
        for (text, needle) in [
            ("web-1:6033", "scheme `web-1`"),
            ("https://web-1", "scheme `https`"),
            ("", "relative URL"),
            ("http://", "empty host"),
            ("http://web-1/?a=b", "a query"),
        ] {
            let error = text.parse::<MonitorUrl>().unwrap_err().to_string();
            assert!(
                error.contains(needle) && error.contains("expected http://HOST:PORT"),
                "{error}"
            );
        }
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        let error = "http://dba:hunter2@web-1".parse::<MonitorUrl>().unwrap_err().to_string();
        assert!(error.contains("credentials") && !error.contains("hunter2"), "{error}");
    }
}
