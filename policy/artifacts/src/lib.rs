//! The wasm modules of this workspace: their bytes, and where they lie on disk.

/// The component of world `portcullis:policy/policy`.
pub const POLICY_COMPONENT: &[u8] = include_bytes!(env!("PORTCULLIS_POLICY"));
pub const POLICY_COMPONENT_PATH: &str = env!("PORTCULLIS_POLICY");

/// The same as a core module, for hosts without the component model: `policy/module`.
pub const POLICY_MODULE: &[u8] = include_bytes!(env!("PORTCULLIS_MODULE"));

/// The component of world `portcullis:policy/compiler`.
#[cfg(feature = "compiler")]
pub const COMPILER_COMPONENT: &[u8] = include_bytes!(env!("PORTCULLIS_COMPILER"));

/// The proxy-wasm filter for Envoy and Istio.
pub const ENVOY_FILTER: &[u8] = include_bytes!(env!("PORTCULLIS_ENVOY"));
pub const ENVOY_FILTER_PATH: &str = env!("PORTCULLIS_ENVOY");

/// A component of the same world that traps and loops on request.
#[cfg(feature = "fixtures")]
pub const FAULTY_COMPONENT: &[u8] = include_bytes!(env!("PORTCULLIS_FAULTY"));

/// A proxy-wasm filter that does nothing.
#[cfg(feature = "fixtures")]
pub const EMPTY_FILTER_PATH: &str = env!("PORTCULLIS_EMPTY");
