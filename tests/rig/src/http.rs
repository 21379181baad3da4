//! An HTTP/1.1 client that sends exactly the bytes it is given: no normalization, no validation, no redirect.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A head or a body longer than this is a mistake of the test.
const MAX_BYTES: u64 = 256 << 20;

/// A request, as bytes on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// `target` is what follows the method, unchanged: a path with or without query, `*`, or anything.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn has(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }

    /// `host` and `content-length` are added unless the request has them.
    fn to_bytes(&self, address: SocketAddr) -> Vec<u8> {
        let Self { method, target, headers, body } = self;
        let mut bytes = format!("{method} {target} HTTP/1.1\r\n");
        if !self.has("host") {
            bytes.push_str(&format!("host: {address}\r\n"));
        }
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() && !self.has("content-length") {
            bytes.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        bytes.push_str("\r\n");
        [bytes.as_bytes(), body].concat()
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {:.300}", self.text()))
    }

    /// The response, if it has this status; the error shows the body.
    pub fn expect_status(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "status {} instead of {status}: {:.2000}", self.status, self.text());
        Ok(self)
    }
}

/// Sends requests to one address over one connection after the other.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Reuses the connection. One that the peer closed while it was idle is opened again, once.
    pub fn send(&mut self, request: &Request) -> Result<Response> {
        let bytes = request.to_bytes(self.address);
        if let Some(mut connection) = self.connection.take() {
            match connection.exchange(&bytes) {
                Ok(response) => return Ok(self.keep(connection, response)),
                Err(Failure::ClosedBeforeAnswer) => {}
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        let mut connection = Connection::open(self.address)?;
        let response = connection.exchange(&bytes)?;
        Ok(self.keep(connection, response))
    }

    fn keep(&mut self, connection: Connection, response: Response) -> Response {
        let closes = response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.connection = (!closes).then_some(connection);
        response
    }
}

/// One request over a connection of its own.
pub fn send(address: SocketAddr, request: &Request) -> Result<Response> {
    send_bytes(address, &request.to_bytes(address))
}

/// The same with bytes that need not be a request.
pub fn send_bytes(address: SocketAddr, bytes: &[u8]) -> Result<Response> {
    Ok(Connection::open(address)?.exchange(bytes)?)
}

#[derive(Debug)]
struct Connection(BufReader<TcpStream>);

enum Failure {
    /// The peer closed the connection before the first byte of an answer.
    ClosedBeforeAnswer,
    Other(anyhow::Error),
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ClosedBeforeAnswer => anyhow::anyhow!("the peer closed the connection without an answer"),
            Failure::Other(error) => error,
        }
    }
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream =
            TcpStream::connect_timeout(&address, TIMEOUT).with_context(|| format!("connecting to {address}"))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Response, Failure> {
        let is_closed = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
        };
        match self.0.get_mut().write_all(request).and_then(|()| self.0.fill_buf().map(<[u8]>::is_empty)) {
            Ok(false) => self.response(request.starts_with(b"HEAD ")).map_err(Failure::Other),
            Ok(true) => Err(Failure::ClosedBeforeAnswer),
            Err(error) if is_closed(&error) => Err(Failure::ClosedBeforeAnswer),
            Err(error) => Err(Failure::Other(error.into())),
        }
    }

    fn response(&mut self, to_head: bool) -> Result<Response> {
        loop {
            let Head { first_line, headers } = read_head(&mut self.0)?.context("connection closed in the answer")?;
            let status = first_line.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.with_context(|| format!("not a status line: {first_line:?}"))?;
            // An interim answer: the real one follows (RFC 9110 section 15.2).
            if !matches!(status, 100..=199) || status == 101 {
                let has_body = !to_head && !matches!(status, 101 | 204 | 304);
                let body =
                    if has_body { read_body(&mut self.0, &headers, Ends::WithTheConnection)? } else { Vec::new() };
                return Ok(Response { status, headers, body });
            }
        }
    }
}

// === messages, as the upstream reads them too ===

pub(crate) struct Head {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// `None` when the peer closed the connection before a message began.
pub(crate) fn read_head(stream: &mut impl BufRead) -> Result<Option<Head>> {
    let Some(first_line) = read_line(stream)? else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?.context("connection closed in the headers")?;
        if line.is_empty() {
            return Ok(Some(Head { first_line, headers }));
        }
        let (name, value) = line.split_once(':').with_context(|| format!("not a header: {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// How far a body without a length goes: a request has none, a response goes on to the end (RFC 9112 section 6.3).
pub(crate) enum Ends {
    AtOnce,
    WithTheConnection,
}

pub(crate) fn read_body(stream: &mut impl BufRead, headers: &[(String, String)], ends: Ends) -> Result<Vec<u8>> {
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let mut body = Vec::new();
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        read_chunks(stream, &mut body)?;
        return Ok(body);
    }
    match (header("content-length"), ends) {
        (Some(length), _) => {
            let length: u64 = length.parse().with_context(|| format!("content-length {length:?}"))?;
            ensure!(length <= MAX_BYTES, "body of {length} bytes");
            stream.take(length).read_to_end(&mut body)?;
            ensure!(body.len() as u64 == length, "connection closed after {} of {length} bytes of body", body.len());
        }
        (None, Ends::WithTheConnection) => {
            stream.take(MAX_BYTES).read_to_end(&mut body)?;
        }
        (None, Ends::AtOnce) => {}
    }
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let line = read_line(stream)?.context("connection closed between chunks")?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).with_context(|| format!("chunk size {size:?}"))?;
        ensure!(body.len() as u64 + size <= MAX_BYTES, "body over {MAX_BYTES} bytes");
        if size == 0 {
            // Trailers, up to the empty line.
            while read_line(stream)?.is_some_and(|line| !line.is_empty()) {}
            return Ok(());
        }
        ensure!(stream.take(size).read_to_end(body)? as u64 == size, "connection closed in a chunk");
        ensure!(read_line(stream)?.as_deref() == Some(""), "no line end after a chunk");
    }
}

fn read_line(stream: &mut impl BufRead) -> Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(MAX_BYTES).read_until(b'\n', &mut line)?;
    match line.as_slice() {
        [] => Ok(None),
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => Ok(Some(String::from_utf8_lossy(line).into_owned())),
        _ => bail!("connection closed in a line"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, read_body, read_head};

    #[test]
    fn reads_bodies_of_every_kind() {
        for (text, expected) in [
            ("content-length: 3\r\n\r\nabcdef", "abc"),
            ("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nt: 1\r\n\r\nrest", "abc"),
            ("\r\nabc", "abc"),
        ] {
            let message = format!("HTTP/1.1 200 OK\r\n{text}");
            let mut stream = message.as_bytes();
            let head = read_head(&mut stream).unwrap().unwrap();
            let body = read_body(&mut stream, &head.headers, Ends::WithTheConnection).unwrap();
            assert_eq!(String::from_utf8(body).unwrap(), expected);
        }
    }

    #[test]
    fn a_message_that_breaks_off_is_an_error() {
        assert!(read_head(&mut &b""[..]).unwrap().is_none());
        assert!(read_head(&mut &b"HTTP/1.1 200"[..]).is_err());
        assert!(read_head(&mut &b"HTTP/1.1 200 OK\r\na: b\r\n"[..]).is_err());
        let length = [("content-length".to_owned(), "4".to_owned())];
        assert!(read_body(&mut &b"abc"[..], &length, Ends::AtOnce).is_err());
    }
}
