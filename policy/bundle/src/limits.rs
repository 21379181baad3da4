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
/// Id of a resource in a request, in bytes; a longer one is malformed.
pub const RESOURCE_ID_BYTES: usize = 8 << 10;
/// Text of `properties`, and of `context`, of a request, in bytes.
pub const PROPERTIES_BYTES: usize = 16 << 10;
/// Text of a condition, in bytes.
pub const CONDITION_BYTES: usize = 16 << 10;
/// Nesting of an expression of a condition: of its brackets, and of its values.
pub const CONDITION_DEPTH: usize = 32;
/// Steps of one evaluation of a condition.
pub const CONDITION_STEPS: usize = 1_000;
/// Serialized automata of one bundle, in bytes.
pub const AUTOMATA_BYTES: usize = 64 << 20;
/// Actions x types x ids of one resource target.
pub const RESOURCE_COMBINATIONS: usize = 65_536;
/// Distinct HTTP methods of a policy, those of the standards included; one bit of a 64-bit mask each, the last bit is
/// "any other".
pub const METHODS: usize = 63;
/// Name of a tenant, in bytes: a DNS label (RFC 1035 section 2.3.4).
pub const TENANT_BYTES: usize = 63;
/// Bundle, in bytes: offsets are 32 bits wide.
pub const BUNDLE_BYTES: usize = 1 << 30;
/// Schemas inside each other that apply to one value.
pub const SCHEMA_HEIGHT: usize = 32;
/// Entries of `validations` of one policy: they are tried one after the other.
pub const VALIDATIONS: usize = 1_024;
/// Document to be validated, in bytes, unless a host says otherwise.
pub const VALIDATED_BYTES: usize = 1 << 20;
/// Objects and lists of a validated document inside each other, the outermost included.
pub const VALIDATED_DEPTH: usize = 64;
/// Steps of one validation.
pub const VALIDATION_STEPS: u32 = 10_000_000;
/// Violations that one validation lists.
pub const VIOLATIONS: usize = 100;
/// Fields of a form.
pub const FORM_FIELDS: usize = 1_000;
/// Largest exponent of a number in a validated document, in either direction.
pub const EXPONENT: i64 = 1_000_000_000;
