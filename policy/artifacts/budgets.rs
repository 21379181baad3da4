//! What each wasm module may weigh, in bytes; docs/adr/0006-sizes-of-the-modules.md and those after it say why.

pub const POLICY: usize = 400 << 10;
pub const MODULE: usize = 400 << 10;
pub const ENVOY: usize = 600_000;
pub const COMPILER: usize = 4 << 20;
