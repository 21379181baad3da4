//! Elects one worker that fetches, by a lease in the shared data that its holder renews.
//!
//! Two holders for a moment do no harm: both fetch the same, and what they share is written with compare-and-swap.

use std::time::Duration;

use super::share::millis;
use crate::host::{Host, HostError};

/// A lease that was not renewed for so long is free.
const TERM: Duration = Duration::from_secs(1);
/// The holder renews this often.
const RENEWAL: Duration = Duration::from_millis(250);
/// Where workers take their numbers from.
const NUMBERS: &str = "portcullis/1/workers";

/// A number that no other worker of this Envoy has, from 1.
pub fn number(host: &impl Host) -> Result<u64, HostError> {
    const TRIES: usize = 64;
    for _ in 0..TRIES {
        let (taken, cas) = match host.shared(NUMBERS)? {
            Some((bytes, cas)) => (bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)), Some(cas)),
            None => (0, None),
        };
        let number = taken.checked_add(1).ok_or(HostError)?;
        if host.set_shared(NUMBERS, &number.to_le_bytes(), cas)? {
            return Ok(number);
        }
    }
    Err(HostError)
}

/// Whether worker `me` holds the lease `name` now.
pub fn hold(host: &impl Host, name: &str, me: u64, now: Duration) -> Result<bool, HostError> {
    let Some((bytes, cas)) = host.shared(name)? else {
        // Another may be writing too: the last one holds it.
        host.set_shared(name, &encode(me, now), None)?;
        let written = host.shared(name)?.and_then(|(bytes, _)| decode(&bytes));
        return Ok(written.is_some_and(|(holder, _)| holder == me));
    };
    let (holder, renewed) = decode(&bytes).unwrap_or_default();
    // A clock that was set back must not keep a lease for ever.
    let age = now.abs_diff(Duration::from_millis(renewed));
    match holder == me {
        true if age < RENEWAL => Ok(true),
        false if age < TERM => Ok(false),
        _ => host.set_shared(name, &encode(me, now), Some(cas)),
    }
}

fn encode(holder: u64, now: Duration) -> Vec<u8> {
    [holder.to_le_bytes(), millis(now).to_le_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Option<(u64, u64)> {
    let (holder, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*holder), u64::from_le_bytes(*rest.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{hold, number};
    use crate::fake::FakeHost;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(1_700_000_000_000 + millis)
    }

    #[test]
    fn one_worker_holds_the_lease_until_it_stops() {
        let host = FakeHost::new();
        let hold = |me, millis| hold(&host, "lease", me, at(millis)).unwrap();
        assert_eq!((hold(1, 0), hold(2, 0)), (true, false));
        assert_eq!((hold(1, 100), hold(2, 100)), (true, false));
        for time in (200..3000).step_by(100) {
            assert_eq!((hold(1, time), hold(2, time)), (true, false), "{time}");
        }
        // The holder is gone.
        assert!(!hold(2, 3200) && !hold(2, 3600));
        assert!(hold(2, 4000));
        assert!(!hold(1, 4100));
    }

    #[test]
    fn who_loses_the_race_for_a_free_lease_does_not_hold_it() {
        let host = FakeHost::new();
        hold(&host, "lease", 1, at(0)).unwrap();
        host.0.borrow_mut().rival = Some("lease".to_owned());
        assert_eq!(hold(&host, "lease", 2, at(5000)), Ok(false));
    }

    #[test]
    fn a_clock_that_goes_back_frees_the_lease() {
        let host = FakeHost::new();
        hold(&host, "lease", 1, at(50_000)).unwrap();
        assert_eq!(hold(&host, "lease", 2, at(0)), Ok(true));
    }

    #[test]
    fn without_shared_data_nobody_holds_it() {
        let host = FakeHost::with(|state| _ = state.broken.insert("shared"));
        assert!(hold(&host, "lease", 1, at(0)).is_err() && number(&host).is_err());
    }

    #[test]
    fn no_number_is_given_twice() {
        let host = FakeHost::new();
        let numbers: Vec<_> = (0..3).map(|_| number(&host)).collect();
        assert_eq!(numbers, [Ok(1), Ok(2), Ok(3)]);
    }
}
