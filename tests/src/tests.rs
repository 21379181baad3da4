mod build;
mod bundles;
mod differential;
mod edge;
mod properties;
mod runtime;
