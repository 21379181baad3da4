mod build;
mod bundles;
mod differential;
mod edge;
mod runtime;
