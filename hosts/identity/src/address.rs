//! Addresses of clients: one text for each, and the network around it.

use std::net::{IpAddr, Ipv6Addr};

/// An address with its first bits, as many as count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    is_v4: bool,
}

impl Network {
    /// The network of `address`: its first `v4` or `v6` bits. An IPv4 address inside an IPv6 one is the IPv4 address.
    pub fn around(address: IpAddr, v4: u32, v6: u32) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self { bits: first(u128::from(address.to_bits()) << 96, v4), is_v4: true },
            IpAddr::V6(address) => Self { bits: first(address.to_bits(), v6), is_v4: false },
        }
    }

    /// The same for all addresses of the network.
    pub(crate) fn key(self) -> [u8; 17] {
        let mut key = [u8::from(self.is_v4); 17];
        for (to, from) in key.iter_mut().skip(1).zip(Ipv6Addr::from_bits(self.bits).octets()) {
            *to = from;
        }
        key
    }
}

fn first(bits: u128, count: u32) -> u128 {
    let rest = 128_u32.saturating_sub(count);
    u128::MAX.checked_shl(rest).map_or(0, |mask| bits & mask)
}
