//! Who somebody is, over a directory in memory. Times are arguments; nothing waits.

mod api_keys;
mod parts;
mod people;
mod tokens;
mod vault;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_directory::{
    AccountChange, Change, Details, Directory, Email, Location, NewUser, RoleSet, UnixSeconds, User, UserId, UserState,
};

use crate::passwords::{Cost, Passwords};
use crate::vault::Vault;
use crate::{NoRandomness, Random};

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const KEYS: &str = "k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= index:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// Newer than that of `KEYS`, which stays.
const NEW_KEYS: &str = "k2:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM= \
                        k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE= \
                        index:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// Never the same bytes, always the same sequence.
#[derive(Default)]
struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A directory with the active user `bob`, and what it takes to know him.
struct World {
    directory: Directory,
    vault: Vault,
    random: Counted,
    passwords: Passwords,
}

impl World {
    async fn new() -> Self {
        let random = Counted::default();
        let passwords = Passwords::new(Cost { memory_kib: 8, passes: 1 }, 2, &random).unwrap();
        let directory = Directory::open(Location::Memory).await.unwrap();
        let world = Self { directory, vault: Vault::parse(KEYS).unwrap(), random, passwords };
        let change = world.directory.change(&root(), NOW).await.unwrap();
        let user = NewUser { id: bob(), state: UserState::active(), roles: RoleSet::default() };
        let details = Details { email: Some(Email::parse("bob@example.org").unwrap()), ..Details::default() };
        change.create_account(&user, &details).await.unwrap();
        change.commit().await.unwrap();
        world
    }

    async fn bob(&self) -> User {
        self.directory.user(&bob()).await.unwrap().unwrap()
    }

    async fn change(&self) -> Change {
        self.directory.change(&root(), NOW).await.unwrap()
    }

    async fn update(&self, change: AccountChange) {
        let write = self.change().await;
        write.update_user(&bob(), &change).await.unwrap();
        write.commit().await.unwrap();
    }
}

fn root() -> UserId {
    UserId::parse("root").unwrap()
}

fn bob() -> UserId {
    UserId::parse("bob").unwrap()
}

fn after(seconds: u64) -> UnixSeconds {
    UnixSeconds(NOW.0 + seconds)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
