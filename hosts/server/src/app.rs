//! The application: everything a request needs, built once from its parts by `serve` and by tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis_directory::{Directory, NameError, StoreError, TenantId};
use portcullis_identity::vault::Vault;
use portcullis_runtime::Runtime;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::authn::secret::{Secret as _, SetupSecret};
use crate::clock::Clock;
use crate::dialects::barong;
use crate::dialects::padlock::{self, Padlock};
use crate::follow::{Follower, Watermark};
use crate::identity::settings::Settings as IdentitySettings;
use crate::identity::{self, Identity, upkeep};
use crate::later::Later;
use crate::observe::metrics::Metrics;
use crate::observe::traces::Tracer;
use crate::pdp::{Gate, GateError};
use crate::pep::Proxies;
use crate::pep::audit::Auditor;
use crate::publish::Publisher;
use crate::publish::archive::Archive;
use crate::retention::{self, Retention};
use crate::revocations::Revocations;
use crate::signing::BundleKey;
use crate::store::Store;
use crate::tenant::Tenant;

pub struct App {
    pub(crate) store: Store,
    pub(crate) gate: Gate,
    pub(crate) proxies: Proxies,
    pub(crate) auditor: Auditor,
    pub(crate) identity: Arc<Identity>,
    pub(crate) padlock: Padlock,
    pub(crate) barong: barong::Settings,
    pub(crate) metrics: Metrics,
    pub(crate) tracer: Option<Tracer>,
    pub(crate) later: Later,
    /// `None` when it was waited for.
    upkeep: Mutex<Option<JoinHandle<()>>>,
    tenants: BTreeMap<TenantId, Tenant>,
    is_stopping: watch::Sender<bool>,
}

/// What an `App` is made of.
pub struct Parts {
    pub runtime: Runtime,
    pub directory: Directory,
    pub clock: Arc<dyn Clock>,
    pub key: BundleKey,
    /// Where bundles also go.
    pub archive: Option<Archive>,
    pub proxies: Proxies,
    /// Seconds after which no token is valid any more.
    pub token_lifetime_s: u64,
    /// Of decision records.
    pub retention: Retention,
    pub identity: IdentitySettings,
    /// Of the file `identity.keys_file`.
    pub vault: Vault,
    pub padlock: padlock::Settings,
    pub barong: barong::Settings,
    /// Takes the spans of requests.
    pub tracer: Option<Tracer>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Identity(#[from] identity::OpenError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl App {
    /// Opens the management policy, and the newest policy document of each tenant.
    pub async fn start(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts { runtime, directory, clock, key, archive, proxies, token_lifetime_s, retention, .. } = parts;
        let Parts { identity, vault, padlock, barong, tracer, .. } = parts;
        let (gate, metrics) = (Gate::open(&runtime)?, Metrics::new(clock.as_ref()));
        let padlock = Padlock::open(&runtime, padlock).map_err(GateError::from)?;
        let (tenant, key, archive) = (TenantId::default(), Arc::new(key), archive.map(Arc::new));
        let (lifetime, now) = (token_lifetime_s, clock.now());
        // First of all, so that nothing is missed that is written while the rest is read.
        let (after, watermark) = (directory.last_audit_entry().await?, Arc::new(Watermark::new()));
        let revocations = Revocations::open(directory.clone(), tenant.clone(), Arc::clone(&key), lifetime, now).await?;
        let identity = Identity::open(directory.clone(), vault, identity, Arc::clone(&clock)).await?;
        let all = Arc::new([Arc::clone(&revocations)]);
        let store = Store::new(directory.clone(), Arc::clone(&clock), all, Arc::clone(&watermark));
        retention::start(store.clone(), tenant.clone(), retention);
        let publisher = Publisher::open(&runtime, store.clone(), key, tenant.clone(), archive).await?;
        let is_stopping = watch::Sender::new(false);
        let upkeep = upkeep::start(Arc::clone(&identity), Arc::clone(&clock), is_stopping.subscribe());
        let follower = Follower {
            directory,
            clock,
            identity: Arc::clone(&identity),
            revocations: Arc::clone(&revocations),
            watermark,
            is_stopping: is_stopping.subscribe(),
            after,
        };
        follower.start(&publisher);
        let tenants =
            BTreeMap::from([(tenant, Tenant { publisher, revocations, decisions: metrics.decisions.clone() })]);
        let auditor = Auditor::new(getrandom::u64().map_err(StartError::Random)?)?;
        let later = Later::default();
        Ok(Arc::new(Self {
            store,
            gate,
            proxies,
            auditor,
            identity,
            padlock,
            barong,
            metrics,
            tracer,
            later,
            upkeep: Mutex::new(Some(upkeep)),
            tenants,
            is_stopping,
        }))
    }

    /// A new setup token instead of the one before; `None` when set-up is done.
    pub async fn issue_setup_token(&self) -> Result<Option<String>, StartError> {
        let secret = SetupSecret::generate().map_err(StartError::Random)?;
        let is_issued = self.store.issue_setup_token(secret.hash()).await?;
        Ok(is_issued.then(|| secret.reveal()))
    }

    pub(crate) fn tenant(&self, tenant: &str) -> Option<&Tenant> {
        self.tenants.get(&TenantId::parse(tenant).ok()?)
    }

    pub(crate) fn default_tenant(&self) -> Option<&Tenant> {
        self.tenants.get(&TenantId::default())
    }

    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// Whether decisions can be made: a tenant without a policy is fine, one whose policy did not open is not.
    pub(crate) fn is_open(&self) -> bool {
        self.gate.is_open() && self.tenants.values().all(|tenant| tenant.publisher.is_open())
    }

    /// Ends every long poll, now and from now on.
    pub fn stop(&self) {
        self.is_stopping.send_replace(true);
    }

    /// Returns once `stop` was called.
    pub async fn stopping(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.is_stopping.subscribe().wait_for(|is_stopping| *is_stopping).await;
    }

    /// Closes the database, after what requests left to do and the last spans.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.stop();
        if let Some(upkeep) = self.upkeep.lock().await.take() {
            // A panic there was told by its thread.
            let _ = upkeep.await;
        }
        self.later.done().await;
        if let Some(tracer) = &self.tracer {
            tracer.flush().await;
        }
        self.store.close().await
    }
}
