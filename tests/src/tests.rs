#[cfg(feature = "hosts")]
mod build;
mod bundles;
#[cfg(feature = "hosts")]
mod compiler;
#[cfg(feature = "hosts")]
mod crashes;
#[cfg(feature = "hosts")]
mod dialects;
mod differential;
#[cfg(feature = "hosts")]
mod docs;
#[cfg(feature = "hosts")]
mod edge;
mod encoded;
mod errors;
mod explain;
#[cfg(feature = "hosts")]
mod filter;
mod generated;
mod golden;
mod limits;
#[cfg(feature = "hosts")]
mod module;
#[cfg(feature = "hosts")]
mod nodes;
mod properties;
#[cfg(feature = "hosts")]
mod proxied;
#[cfg(feature = "hosts")]
mod runtime;
mod schemas;
