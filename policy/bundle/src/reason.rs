//! Why a decision came about: stable codes for JSON, logs and metrics (design: "Order of evaluation").

/// One code for each way a decision comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    MalformedRequest,
    RestrictedMaintenance,
    RestrictedBlacklist,
    RestrictedLogin,
    Blocked,
    Public,
    SubjectInactive,
    OtpRequired,
    TokenRevoked,
    Rule,
    Route,
    Unauthenticated,
    MissingPermission,
    LevelTooLow,
    NoMatch,
    PolicyUnavailable,
}

/// A text that names no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reason")]
pub struct UnknownReason;

impl Reason {
    pub const COUNT: usize = 16;

    pub const ALL: [Self; Self::COUNT] = [
        Self::MalformedRequest,
        Self::RestrictedMaintenance,
        Self::RestrictedBlacklist,
        Self::RestrictedLogin,
        Self::Blocked,
        Self::Public,
        Self::SubjectInactive,
        Self::OtpRequired,
        Self::TokenRevoked,
        Self::Rule,
        Self::Route,
        Self::Unauthenticated,
        Self::MissingPermission,
        Self::LevelTooLow,
        Self::NoMatch,
        Self::PolicyUnavailable,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed_request",
            Self::RestrictedMaintenance => "restricted_maintenance",
            Self::RestrictedBlacklist => "restricted_blacklist",
            Self::RestrictedLogin => "restricted_login",
            Self::Blocked => "blocked",
            Self::Public => "public",
            Self::SubjectInactive => "subject_inactive",
            Self::OtpRequired => "otp_required",
            Self::TokenRevoked => "token_revoked",
            Self::Rule => "rule",
            Self::Route => "route",
            Self::Unauthenticated => "unauthenticated",
            Self::MissingPermission => "missing_permission",
            Self::LevelTooLow => "level_too_low",
            Self::NoMatch => "no_match",
            Self::PolicyUnavailable => "policy_unavailable",
        }
    }

    /// HTTP status of a deny for this reason when the policy does not say otherwise.
    pub const fn default_status(self) -> u16 {
        match self {
            Self::MalformedRequest => 400,
            Self::RestrictedMaintenance => 471,
            Self::TokenRevoked | Self::Unauthenticated => 401,
            Self::PolicyUnavailable => 503,
            _ => 403,
        }
    }

    /// Whether a stage behind that of revocations decided, so that a revocation the policy does not know decides instead.
    pub const fn comes_after_revocations(self) -> bool {
        match self {
            Self::Rule
            | Self::Route
            | Self::Unauthenticated
            | Self::MissingPermission
            | Self::LevelTooLow
            | Self::NoMatch => true,
            Self::MalformedRequest
            | Self::RestrictedMaintenance
            | Self::RestrictedBlacklist
            | Self::RestrictedLogin
            | Self::Blocked
            | Self::Public
            | Self::SubjectInactive
            | Self::OtpRequired
            | Self::TokenRevoked
            | Self::PolicyUnavailable => false,
        }
    }

    /// Whether a policy may answer another status: false where the reason only ever allows, and where there is no
    /// policy to ask.
    pub const fn has_policy_status(self) -> bool {
        !matches!(self, Self::Public | Self::Route | Self::PolicyUnavailable)
    }
}

impl core::str::FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(name: &str) -> Result<Self, UnknownReason> {
        Self::ALL.into_iter().find(|reason| reason.name() == name).ok_or(UnknownReason)
    }
}
