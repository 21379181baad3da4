//! Bundles in an object store, where a CDN or another region finds them: a folder, S3, Google Cloud Storage, Azure.
//!
//! `TENANT/DIGEST.bundle` never changes. `TENANT/current.json` says which one is in force, and is written last. Whoever
//! reads there verifies the signature in the bundle, so that the store need not be trusted.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use portcullis_directory::{Revision, TenantId};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::publish::Bundle;

pub struct Archive {
    store: Box<dyn ObjectStore>,
    root: Path,
}

/// Which bundle of a tenant is in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Pointer {
    pub tenant: String,
    pub revision: u64,
    /// SHA-256 in hexadecimal, the name of the bundle.
    pub digest: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("`object_store` is not a URL like `file:///var/lib/bundles` or `s3://bucket/folder`")]
    Url,
    #[error("the object store cannot be used")]
    Open(#[source] object_store::Error),
    #[error("the object store failed")]
    Store(#[from] object_store::Error),
    #[error("the object store has revision {found} already, which is newer")]
    Newer { found: u64 },
}

impl Archive {
    /// `settings` are credentials and the like, under the names that the environment of each cloud has for them.
    pub fn open(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, ArchiveError> {
        let url = Url::parse(url).map_err(|_| ArchiveError::Url)?;
        // An error says that the process has one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (store, root) = object_store::parse_url_opts(&url, settings).map_err(ArchiveError::Open)?;
        Ok(Self { store, root })
    }

    /// Stores the bundle and makes it the current one; nothing when it is. An older one never replaces a newer one.
    pub async fn put(&self, tenant: &TenantId, bundle: &Bundle) -> Result<(), ArchiveError> {
        let folder = self.root.clone().join(tenant.as_str());
        let next =
            Pointer { tenant: tenant.to_string(), revision: bundle.revision.get(), digest: bundle.digest.to_string() };
        match self.pointer(&folder).await? {
            Some(current) if current == next => return Ok(()),
            Some(Pointer { revision, .. }) if Revision::new(revision) > Some(bundle.revision) => {
                return Err(ArchiveError::Newer { found: revision });
            }
            _ => {}
        }
        let name = folder.clone().join(format!("{}.bundle", next.digest));
        self.store.put(&name, bundle.bytes().clone().into()).await?;
        let pointer = serde_json::json!(next).to_string();
        self.store.put(&folder.join(POINTER), pointer.into()).await?;
        Ok(())
    }

    /// One that cannot be read is none: the next bundle replaces it.
    async fn pointer(&self, folder: &Path) -> Result<Option<Pointer>, ArchiveError> {
        match self.store.get(&folder.clone().join(POINTER)).await {
            Ok(found) => Ok(serde_json::from_slice(&found.bytes().await?).ok()),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

const POINTER: &str = "current.json";
