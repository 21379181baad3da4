//! Sends a batch to the collector: one POST on a connection of its own.

use std::fmt;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Host and port.
    authority: String,
    path: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("it cannot be reached")]
    Connect(#[from] std::io::Error),
    #[error("it does not speak HTTP")]
    Http(#[from] hyper::Error),
    #[error("the request cannot be made")]
    Request(#[from] axum::http::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("it takes too long")]
    Late,
}

impl Collector {
    /// `http://HOST:PORT[/PATH]`; `/v1/traces` follows, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it. The error goes on after the
    /// name of the key.
    pub fn parse(url: &str) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|error| format!("is no URL: {error}"))?;
        if parsed.scheme() != "http" {
            return Err("must begin with http://; a collector beside the server sends on by TLS".to_owned());
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("has credentials; a collector beside the server adds those of another one".to_owned());
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err("has a query or a fragment".to_owned());
        }
        let host = parsed.host_str().ok_or("has no host")?;
        let authority = format!("{host}:{}", parsed.port_or_known_default().unwrap_or(80));
        Ok(Self { authority, path: format!("{}/v1/traces", parsed.path().trim_end_matches('/')) })
    }

    pub async fn post(&self, body: String) -> Result<(), SendError> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::post(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let answer = async {
            let status = sender.send_request(request).await?.status();
            // The connection ends with its sender.
            drop(sender);
            Ok::<_, SendError>(status)
        };
        let (answer, _) = tokio::join!(answer, connection);
        let status = answer?;
        if status.is_success() { Ok(()) } else { Err(SendError::Status(status)) }
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_that_the_path_of_traces_follows() {
        for (url, shown) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
            ("http://collector/otlp/", "http://collector:80/otlp/v1/traces"),
        ] {
            assert_eq!(Collector::parse(url).unwrap().to_string(), shown);
        }
        for url in ["", "127.0.0.1:4318", "https://x:4318", "http://u:p@x", "http://x?a=b", "http://x#a", "grpc://x"] {
            assert!(Collector::parse(url).is_err(), "{url}");
        }
    }
}
