//! An HTTP/2 client over clear text, for what HTTP/1.1 cannot say: a body in frames, trailers behind it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::Response;

const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, &'static str)>,
    /// Each a frame of its own. None, and no trailers either: the headers end the request.
    pub frames: Vec<Vec<u8>>,
    pub trailers: Vec<(&'static str, &'static str)>,
}

/// One request over a connection of its own. What the peer does not want to read any more is not sent.
pub fn send(address: SocketAddr, request: &Request) -> Result<Response> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { timeout(TIMEOUT, exchange(address, request)).await.context("no answer")? })
}

async fn exchange(address: SocketAddr, request: &Request) -> Result<Response> {
    let Request { method, path, headers, frames, trailers } = request;
    let (client, connection) = h2::client::handshake(TcpStream::connect(address).await?).await?;
    let driver = tokio::spawn(connection);
    let mut client = client.ready().await?;
    let mut head = http::Request::builder().method(*method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        head = head.header(*name, *value);
    }
    let (answer, mut body) = client.send_request(head.body(())?, frames.is_empty() && trailers.is_empty())?;
    for (index, frame) in frames.iter().enumerate() {
        let is_last = index + 1 == frames.len() && trailers.is_empty();
        if body.send_data(frame.clone().into(), is_last).is_err() {
            break;
        }
    }
    if !trailers.is_empty() {
        // Refused already: the answer says so.
        let _ = body.send_trailers(map(trailers)?);
    }
    let response = read(answer).await;
    driver.abort();
    response
}

async fn read(answer: h2::client::ResponseFuture) -> Result<Response> {
    let (head, mut stream) = answer.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Ok(Response { status: head.status.as_u16(), headers, body })
}

fn map(pairs: &[(&'static str, &'static str)]) -> Result<HeaderMap> {
    pairs.iter().map(|&(name, value)| Ok((HeaderName::from_static(name), HeaderValue::from_str(value)?))).collect()
}
