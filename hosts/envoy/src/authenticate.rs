//! Finds out who a request comes from: claims of `jwt_authn`, a bearer token, the gateway, a certificate, in this order.
//!
//! The first that says something stands. What is there and wrong is 401, also where nobody needs to say who they are.

use std::rc::Rc;

use portcullis_core::Reason;

use crate::claims;
use crate::config::{Config, Gateway, Service, Tenancy};
use crate::extract::{Facts, Received};
use crate::gateway::Question;
use crate::host::{CallId, Host, HostError};
use crate::identity::Identity;
use crate::tenant::Tenant;
use crate::token::cache::{Cache, Key};
use crate::token::{self, Bearer, Tokens};

/// Who it is.
pub enum Found {
    Nobody,
    Known(Rc<Identity>),
    /// The server knows, and was asked.
    Asked {
        call: CallId,
        /// Of its answer in the cache.
        key: Key,
    },
}

pub struct Authenticator<'a, H> {
    pub host: &'a H,
    pub config: &'a Config,
    pub tenancy: &'a Tenancy,
    pub tenant: &'a mut Tenant,
    pub tokens: &'a mut Tokens,
    pub answers: &'a mut Cache<Rc<Identity>>,
    /// Unix seconds.
    pub now: u64,
}

impl<H: Host> Authenticator<'_, H> {
    /// The reason is that of a refusal.
    pub fn find(&mut self, received: &Received, facts: &Facts<'_>) -> Result<Found, Reason> {
        if let Some(identity) = self.verified_by_proxy(received)? {
            return Ok(Found::Known(Rc::new(identity)));
        }
        if !self.config.issuers.is_empty()
            && let Some(token) = facts.authorization.and_then(bearer)
        {
            match token::read(self.host, self.config, self.tokens, token, self.now) {
                Bearer::Valid(identity) => return Ok(Found::Known(identity)),
                Bearer::Invalid => return Err(Reason::Unauthenticated),
                Bearer::Foreign if self.config.gateway.is_none() => return Err(Reason::Unauthenticated),
                Bearer::Foreign => {}
            }
        }
        if let Some(gateway) = &self.config.gateway
            && let Some(question) = Question::read(&received.headers, gateway, facts.authorization)?
        {
            return self.ask(gateway, &question);
        }
        Ok(self.service(received).map_or(Found::Nobody, Found::Known))
    }

    /// The service whose certificate the client showed.
    pub fn service(&self, received: &Received) -> Option<Rc<Identity>> {
        let san = received.peer.as_ref()?;
        let service: &Service = self.config.services.iter().find(|service| service.san.as_bytes() == san)?;
        Some(Rc::new(Identity::of_service(service)))
    }

    fn verified_by_proxy(&self, received: &Received) -> Result<Option<Identity>, Reason> {
        match (&self.config.jwt_payload_key, &received.metadata) {
            (Some(key), Some(metadata)) => {
                claims::identity(metadata, key, &self.config.claims).map_err(|_| Reason::Unauthenticated)
            }
            _ => Ok(None),
        }
    }

    fn ask(&mut self, gateway: &Gateway, question: &Question) -> Result<Found, Reason> {
        let key = question.key(self.tenancy);
        if let Some(identity) = self.answers.get(&key) {
            let is_valid = identity.expires.is_some_and(|expires| self.now < expires);
            // The server may have another answer for whom was revoked meanwhile.
            if is_valid && !self.tenant.has_revoked(&identity) {
                return Ok(Found::Known(identity));
            }
            self.answers.remove(&key);
        }
        match question.ask(self.host, self.config, gateway, self.tenancy) {
            Ok(call) => Ok(Found::Asked { call, key }),
            Err(HostError) => {
                self.tenant.metrics.count_identity_failure(self.host);
                Err(Reason::PolicyUnavailable)
            }
        }
    }
}

/// The token of the scheme `Bearer` (RFC 6750 section 2.1); the name of a scheme has any case. After it comes one space:
/// what begins with another is no token, as for the server and for `jwt_authn`.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
