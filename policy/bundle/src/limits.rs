//! Bounds that hold for every policy and every request (design: "Limits").

/// Policy document, in bytes of its text.
pub const DOCUMENT_BYTES: usize = 64 << 20;
/// Rules of one policy.
pub const RULES: usize = 1_000_000;
/// Roles of one policy.
pub const ROLES: usize = 65_536;
/// Length of a chain of `inherits`.
pub const INHERITANCE: usize = 64;
/// Path pattern, in bytes.
pub const PATTERN_BYTES: usize = 1024;
/// Raw path of a request without its query, and canonical path, in bytes.
pub const PATH_BYTES: usize = 8 << 10;
/// Distinct HTTP methods that a policy names; one bit of a 64-bit mask each, the last bit is "any other".
pub const METHODS: usize = 63;
/// Name of a tenant, in bytes: a DNS label (RFC 1035 section 2.3.4).
pub const TENANT_BYTES: usize = 63;
/// Bundle, in bytes: offsets are 32 bits wide.
pub const BUNDLE_BYTES: usize = 1 << 30;
