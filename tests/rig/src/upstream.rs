//! An upstream that answers with what reached it.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::{Ends, Head, Response, read_body, read_head};

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl Upstream {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (requests, stopped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let upstream = Self { address, requests: requests.clone(), stopped: stopped.clone() };
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let requests = requests.clone();
                // Ends when the proxy closes the connection, or breaks it off.
                thread::spawn(move || serve(stream, &requests));
            }
        });
        Ok(upstream)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests reached it.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, requests: &AtomicU64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(Head { first_line, headers }) = read_head(&mut stream)? {
        let body = read_body(&mut stream, &headers, Ends::AtOnce)?;
        requests.fetch_add(1, Ordering::Relaxed);
        let mut words = first_line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let seen = json!({"method": method, "path": path, "headers": headers, "body": String::from_utf8_lossy(&body)});
        let seen = seen.to_string();
        let length = seen.len();
        let body = if method == "HEAD" { "" } else { &seen };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        stream.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
    }
    Ok(())
}

/// A request as the upstream saw it.
#[derive(Debug)]
pub struct Seen(Value);

impl Seen {
    /// An error when the response does not come from the upstream.
    pub fn in_response(response: &Response) -> Result<Self> {
        let seen = response.json()?;
        seen.get("headers").context("the response is not of the upstream")?;
        Ok(Self(seen))
    }

    pub fn method(&self) -> &str {
        self.0["method"].as_str().unwrap_or_default()
    }

    /// With the query.
    pub fn path(&self) -> &str {
        self.0["path"].as_str().unwrap_or_default()
    }

    /// What is no text in it is replaced.
    pub fn body(&self) -> &str {
        self.0["body"].as_str().unwrap_or_default()
    }

    /// Every value of the header (name in lower case).
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let headers = self.0["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
        headers.iter().filter(|header| header[0] == name).filter_map(|header| header[1].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, Upstream};
    use crate::http::{Client, Request};

    #[test]
    fn tells_what_it_saw_request_after_request() {
        let upstream = Upstream::start().unwrap();
        let mut client = Client::new(upstream.address());
        let request = Request::new("PUT", "/a//b?c").header("X-A", "1").header("x-a", "2").body("text/plain", "abc");
        for count in 1..=3 {
            let response = client.send(&request).unwrap().expect_status(200).unwrap();
            let seen = Seen::in_response(&response).unwrap();
            assert_eq!((seen.method(), seen.path(), seen.headers("x-a")), ("PUT", "/a//b?c", vec!["1", "2"]));
            assert_eq!(seen.body(), "abc");
            assert_eq!(upstream.requests(), count);
        }
        let head = client.send(&Request::new("HEAD", "/")).unwrap();
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert!(client.send(&Request::get("/")).is_ok());
    }
}
