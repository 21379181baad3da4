//! `portcullis serve`: settings, data folder, key, database, component, application; then requests until a signal.

use std::fs::DirBuilder;
use std::future::{Future, IntoFuture as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use portcullis_directory::{Directory, Location};
use portcullis_identity::vault::Vault;
use portcullis_runtime::{Limits, Runtime};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Parts};
use crate::cli::{Ending, complain};
use crate::clock::SystemClock;
use crate::config::{self, Config, ConfigError, Flags, Sources};
use crate::identity::RANDOM;
use crate::observe::logs;
use crate::observe::traces::Tracer;
use crate::publish::archive::Archive;
use crate::router::router;
use crate::secret_file;
use crate::signing::BundleKey;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  portcullis serve --listen 127.0.0.1:8080 --data-dir /var/lib/portcullis\n\n\
    Settings come from the configuration file (TOML; all keys are in docs/SERVER.md), then from the environment\n\
    (PORTCULLIS_LISTEN, PORTCULLIS_DATA_DIR, PORTCULLIS_DATABASE ...), then from flags; the last one wins.\n\
    Logs go to standard error. --print-config shows the settings and where each one comes from.")]
pub(super) struct Serve {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings as a configuration file, passwords masked, and start nothing
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    flags: Flags,
}

/// How long requests that were begun may take after a signal.
const GRACE: Duration = Duration::from_secs(10);

impl Serve {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Self { config: file, print_config, flags } = self;
        if print_config {
            let Some(settings) = with_sources(file, flags, Config::print) else { return Ok(Ending::Diagnosed) };
            io::stdout().lock().write_all(settings.as_bytes()).context("cannot write to standard output")?;
            return Ok(Ending::Done);
        }
        let Some(config) = configured(file, flags) else { return Ok(Ending::Diagnosed) };
        logs::start(config.observe.logs.clone());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
        let ended = runtime.block_on(serve(config));
        // A publication that outlives the grace time is cut off; its transaction is whole or not there.
        runtime.shutdown_timeout(Duration::from_secs(1));
        ended.map(|()| Ending::Done)
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let Config { listen, data_dir, database, object_store, token_lifetime_s, .. } = config;
    let Config { proxies, retention, observe, identity, padlock, barong, .. } = config;
    let signals = signals().context("cannot wait for signals")?;
    allow_many_connections();
    create_folder(&data_dir)?;
    let key = BundleKey::read_or_create(&data_dir.join("signing.key"))?;
    let public_key = key.public_key();
    let vault = open_vault(&identity.keys_file)?;
    let directory = open(database).await?;
    let runtime = Runtime::new(Limits::default())?;
    let archive = object_store.map(|url| Archive::open(&url, cloud_settings())).transpose()?;
    let clock = Arc::new(SystemClock);
    let app = App::start(Parts {
        runtime,
        directory,
        clock,
        key,
        archive,
        proxies,
        token_lifetime_s,
        retention,
        identity,
        vault,
        padlock,
        barong,
        tracer: observe.traces.map(Tracer::start),
    })
    .await?;
    // Before the setup token, so that a second start by mistake does not invalidate the first one's.
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("cannot tell the port")?;
    let setup_token = app.issue_setup_token().await?;
    announce(&public_key.to_string(), setup_token.as_deref(), address)?;
    run(Arc::clone(&app), listener, signals).await?;
    app.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Lines for the operator and for scripts; `listening` is the last one.
fn announce(public_key: &str, setup_token: Option<&str>, address: SocketAddr) -> anyhow::Result<()> {
    let mut lines = format!("bundle key: {public_key}\n");
    if let Some(token) = setup_token {
        lines.push_str(&format!("setup token: {token}\n"));
    }
    lines.push_str(&format!("listening on http://{address}\n"));
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

/// Answers requests until `signals`, then lets those under way end.
async fn run(
    app: Arc<App>,
    listener: TcpListener,
    signals: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let no_delay = |stream: &mut tokio::net::TcpStream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "a connection keeps its delay");
        }
    };
    let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let stop = Arc::clone(&app);
    let server = axum::serve(listener.tap_io(no_delay), service).with_graceful_shutdown(async move {
        signals.await;
        tracing::info!("stopping");
        stop.stop();
    });
    let out_of_grace = async {
        app.stopping().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.context("cannot serve"),
        () = out_of_grace => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    }
}

/// Ends at SIGTERM or SIGINT. The handlers are in place when this returns, before the future is first polled.
fn signals() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Each waiting edge is an open file; the usual soft limit of 1,024 is there for programs that use `select`.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(error = %error, "the limit of open files stays as it is");
    }
}

/// Keys and token hashes live here: it is for its owner only when we make it.
pub(super) fn create_folder(path: &Path) -> anyhow::Result<()> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.with_context(|| format!("cannot create the data folder `{}`", path.display()))
}

/// Keys of secrets; on the first start new ones.
fn open_vault(path: &Path) -> anyhow::Result<Vault> {
    secret_file::create(path, || Vault::generate(&RANDOM))?;
    let keys = secret_file::read(path)?;
    Vault::parse(&keys).with_context(|| format!("the key file `{}` cannot be used", path.display()))
}

/// Credentials and the like of object stores, where their own tools have them too.
fn cloud_settings() -> impl Iterator<Item = (String, String)> {
    const PREFIXES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];
    let texts =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

pub(super) async fn open(database: Location) -> anyhow::Result<Directory> {
    let name = database.to_string();
    Directory::open(database).await.with_context(|| format!("cannot open the database `{name}`"))
}

/// The settings of a server here; `None` when something is wrong with them, which was said.
pub(super) fn configured(file: Option<PathBuf>, flags: Flags) -> Option<Config> {
    with_sources(file, flags, Config::load)
}

fn with_sources<T>(
    file: Option<PathBuf>,
    flags: Flags,
    load: impl FnOnce(Sources) -> Result<T, ConfigError>,
) -> Option<T> {
    let settings =
        config::environment(std::env::vars_os()).and_then(|environment| load(Sources { file, environment, flags }));
    settings.map_err(|error| complain(format_args!("portcullis: {:#}", anyhow::Error::from(error)))).ok()
}
