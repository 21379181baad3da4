//! Bodies that the policy has schemas for.
//!
//! In: the policy that let the request through, its headers, then its whole body. Out: what must be checked, then the body
//! for the upstream, or the problem with it. Pure. Never: a body for the upstream that a schema did not accept as it is.

use std::rc::Rc;

use portcullis_core::{
    BodyCheck, Policy, Report, ValidateOptions, ValidateScratch, Verdict, Violation, body_check, normalizes, validate,
};

use crate::config::Config;
use crate::extract::{Facts, Malformed, Received, single};
use crate::json::Writer;
use crate::route::Settings;

/// What the body of a request must satisfy.
pub struct Check {
    policy: Rc<Policy>,
    /// Numbers of schemas.
    schemas: Vec<u32>,
    language: String,
    max_bytes: usize,
}

/// Why a request does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    /// For the metric.
    pub kind: &'static str,
    title: &'static str,
    /// As a list in JSON, and whether there are more.
    violations: Option<(String, bool)>,
}

impl Check {
    /// `None` when nothing needs to be checked. `is_empty` when the proxy knows by the headers that there is no body.
    pub fn of(
        policy: &Rc<Policy>,
        received: &Received,
        facts: &Facts<'_>,
        settings: Settings,
        config: &Config,
        is_empty: bool,
    ) -> Result<Option<Self>, Problem> {
        let has_nothing_to_say = is_empty && matches!(facts.method, "GET" | "HEAD" | "OPTIONS" | "TRACE");
        if has_nothing_to_say || !(policy.has_validations() || settings.requires_validation) {
            return Ok(None);
        }
        let header = |name| single(&received.headers, name).map_err(|Malformed| Problem::MALFORMED);
        let asked = body_check(policy, facts.method, facts.host, facts.path, header("content-type")?);
        let schemas = match asked.ok_or(Problem::UNAVAILABLE)? {
            BodyCheck::Free if settings.requires_validation && !is_empty => return Err(Problem::CONTENT_TYPE),
            BodyCheck::Free => return Ok(None),
            BodyCheck::WrongContentType => return Err(Problem::CONTENT_TYPE),
            BodyCheck::Schemas(schemas) => schemas,
        };
        if header("content-encoding")?.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err(Problem::CONTENT_TYPE);
        }
        let check = Self {
            policy: Rc::clone(policy),
            schemas,
            language: header("accept-language")?.map_or_else(|| "en".to_owned(), language),
            max_bytes: config.max_body_bytes,
        };
        let announced = header("content-length")?.and_then(|length| length.parse().ok()).unwrap_or(0);
        check.admit(announced).map(|()| Some(check))
    }

    /// Whether a body may have so many bytes.
    pub fn admit(&self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.max_bytes { Err(Problem::TOO_LARGE) } else { Ok(()) }
    }

    /// The body for the upstream, where it is not the one received.
    pub fn run(&self, body: &[u8], scratch: &mut ValidateScratch) -> Result<Option<String>, Problem> {
        let normalized = self.pass(body, scratch)?;
        match &normalized {
            // What one schema changed, another one must accept as it is now.
            Some(changed) if self.schemas.len() > 1 && self.pass(changed.as_bytes(), scratch)?.is_some() => {
                Err(Problem::UNAVAILABLE)
            }
            _ => Ok(normalized),
        }
    }

    /// Each schema checks what those before it made of the body.
    fn pass(&self, body: &[u8], scratch: &mut ValidateScratch) -> Result<Option<String>, Problem> {
        let mut changed: Option<String> = None;
        for &schema in &self.schemas {
            let document = changed.as_deref().map_or(body, str::as_bytes);
            let normalized = normalizes(&self.policy, schema);
            let options = ValidateOptions { language: &self.language, max_bytes: self.max_bytes, normalized };
            let report = validate(&self.policy, schema, document, &options, scratch).ok_or(Problem::UNAVAILABLE)?;
            if report.verdict != Verdict::Valid {
                return Err(Problem::with(&report));
            }
            changed = report.normalized.filter(|normalized| normalized.as_bytes() != document).or(changed);
        }
        Ok(changed)
    }
}

/// The first language of `accept-language` (RFC 9110 section 12.5.4); what is none is English.
fn language(accepted: &str) -> String {
    let first = accepted.split([',', ';']).next().unwrap_or_default().trim();
    let is_tag = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_tag { first.to_owned() } else { "en".to_owned() }
}

impl Problem {
    const MALFORMED: Self = Self::new(400, ".kind.malformed", "Bad Request");
    const TOO_LARGE: Self = Self::new(413, ".kind.too_large", "Content Too Large");
    const CONTENT_TYPE: Self = Self::new(415, ".kind.content_type", "Unsupported Media Type");
    pub const UNAVAILABLE: Self = Self::new(503, ".kind.unavailable", "Service Unavailable");

    const fn new(status: u16, kind: &'static str, title: &'static str) -> Self {
        Self { status, kind, title, violations: None }
    }

    fn with(report: &Report<'_>) -> Self {
        let problem = match report.verdict {
            Verdict::Unreadable => Self::MALFORMED,
            Verdict::OverLimit => Self::TOO_LARGE,
            Verdict::Valid | Verdict::Invalid => Self::new(422, ".kind.invalid", "Unprocessable Content"),
        };
        let violations: Vec<_> = report.violations.iter().map(violation).collect();
        Self { violations: Some((["[", &violations.join(","), "]"].concat(), report.has_more)), ..problem }
    }

    /// `application/problem+json` (RFC 9457).
    pub fn to_json(&self) -> String {
        let mut json = Writer::object();
        json.text("type", "about:blank");
        json.text("title", self.title);
        json.number("status", u64::from(self.status));
        if let Some((violations, has_more)) = &self.violations {
            json.raw("violations", violations);
            json.raw("has_more", if *has_more { "true" } else { "false" });
        }
        json.finish()
    }
}

fn violation(violation: &Violation<'_>) -> String {
    let Violation { pointer, keyword, code, params, message } = violation;
    let mut of = Writer::object();
    for (name, param) in params {
        of.raw(name, &param.to_json());
    }
    let mut json = Writer::object();
    json.text("pointer", pointer);
    json.text("keyword", keyword);
    json.text("code", code);
    json.raw("params", &of.finish());
    json.text("message", message);
    json.finish()
}
