//! Sessions: a cookie that means nothing by itself, bound to the browser and the network it was given to.

use std::net::IpAddr;

use portcullis_directory::{Change, Directory, Proven, Session, StoreError, UnixSeconds};

use crate::address::Network;
use crate::random::{NoRandomness, Random};
use crate::secret::Secret;

/// How long sessions live and how closely they are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Without a request, or up to a twentieth less: not each request is written down.
    pub idle_s: u64,
    /// Whatever happens.
    pub absolute_s: u64,
    /// First bits of the address that must stay the same.
    pub v4_bits: u32,
    pub v6_bits: u32,
}

/// Who shows a cookie.
#[derive(Clone, Copy, Debug)]
pub struct Client<'c> {
    pub address: IpAddr,
    /// Absent is as good as any other, and must stay absent.
    pub user_agent: Option<&'c str>,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No such session: never begun, ended, or over.
    #[error("there is no such session")]
    None,
    /// Shown by another browser or from another network; it is ended.
    #[error("the session belongs to another client")]
    OtherClient,
    /// Password, state or second factor of the user are others since it proved to be that user.
    #[error("the user was changed during the login")]
    Outdated,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Of the idle time, in which a use is not written down: most requests only read.
const TOUCH_EVERY: u64 = 20;

impl Default for SessionRules {
    /// Barong's: half an hour, /16 and /96 (reference/barong.md 3.6), and a day at most, which Barong does not have.
    fn default() -> Self {
        Self { idle_s: 1800, absolute_s: 24 * 3600, v4_bits: 16, v6_bits: 96 }
    }
}

impl SessionRules {
    /// Begins a session of whoever proved to be a user, with the rest of the write; the answer is the value of the cookie.
    pub async fn begin(
        &self,
        change: &Change,
        proven: &Proven,
        client: Client<'_>,
        now: UnixSeconds,
        random: &dyn Random,
    ) -> Result<Secret, SessionError> {
        let cookie = Secret::generate(random)?;
        let session = Session {
            hash: cookie.hash(),
            user: proven.user.id.clone(),
            user_ip: client.address.to_canonical().to_string(),
            user_agent: client.user_agent.map(str::to_owned),
            created_at: now,
            seen_at: now,
        };
        match change.add_session(&session, proven).await? {
            true => Ok(cookie),
            false => Err(SessionError::Outdated),
        }
    }

    /// The session of a cookie, used at `now`. Whether its user may do anything is seen at the user.
    pub async fn find(
        &self,
        directory: &Directory,
        cookie: &str,
        client: Client<'_>,
        now: UnixSeconds,
    ) -> Result<Session, SessionError> {
        let hash = Secret::parse(cookie).ok_or(SessionError::None)?.hash();
        let session = directory.session(hash).await?.ok_or(SessionError::None)?;
        if self.is_over(&session, now) {
            directory.end_session(hash).await?;
            return Err(SessionError::None);
        }
        if !self.is_of(&session, client) {
            directory.end_session(hash).await?;
            return Err(SessionError::OtherClient);
        }
        if now.0.saturating_sub(session.seen_at.0) > self.idle_s / TOUCH_EVERY {
            directory.touch_session(hash, now).await?;
        }
        Ok(session)
    }

    /// Forgets the sessions that are over.
    pub async fn drop_over(&self, directory: &Directory, now: UnixSeconds) -> Result<u64, StoreError> {
        let before = |seconds: u64| UnixSeconds(now.0.saturating_sub(seconds));
        directory.drop_sessions(before(self.absolute_s), before(self.idle_s)).await
    }

    fn is_over(&self, session: &Session, now: UnixSeconds) -> bool {
        let since = |time: UnixSeconds| now.0.saturating_sub(time.0);
        since(session.seen_at) >= self.idle_s || since(session.created_at) >= self.absolute_s
    }

    fn is_of(&self, session: &Session, client: Client<'_>) -> bool {
        let network = |address| Network::around(address, self.v4_bits, self.v6_bits);
        let begun: Option<IpAddr> = session.user_ip.parse().ok();
        let is_near = begun.is_some_and(|begun| network(begun) == network(client.address));
        is_near && session.user_agent.as_deref() == client.user_agent
    }
}
