//! Starts the real thing for tests and the demo: server, upstream, Envoy, and a client that sends exact bytes.
//!
//! Every process is a child that ends with its handle; every port is chosen by the one who listens on it. Waiting is
//! polling with a deadline, never a fixed sleep.

pub mod certificates;
pub mod envoy;
pub mod http;
pub mod http2;
pub mod nginx;
pub mod origin;
pub mod postgres;
pub mod process;
pub mod server;
pub mod token;
pub mod upstream;
pub mod wrk;

pub use envoy::{Envoy, EnvoyBinary, EnvoySetup};
pub use http::{Client, Request, Response};
pub use nginx::{Nginx, NginxBinary, NginxSetup};
pub use origin::{Answer, Origin};
pub use postgres::{Durability, Postgres, PostgresBinary};
pub use process::Process;
pub use server::Server;
pub use upstream::Upstream;
