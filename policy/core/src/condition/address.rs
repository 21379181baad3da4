//! IP addresses and networks. An IPv4-mapped IPv6 address is its IPv4 address, here as in restrictions.

use portcullis_bundle::bytecode::Op;

use super::Fault;
use super::machine::Machine;
use super::value::Value;
use crate::restrict::{IPV4_PREFIX, is_ipv4, masked, octets};

impl Machine<'_> {
    pub(super) fn address(&mut self, op: Op, value: Value) -> Result<Value, Fault> {
        match (op, value) {
            (Op::Ip, Value::Ip(_)) | (Op::Cidr, Value::Cidr(..)) => Ok(value),
            (Op::Ip, Value::String(text)) => ip(self.str(text)?).map(Value::Ip).ok_or(Fault::Error),
            (Op::IsIp, Value::String(text)) => Ok(Value::Bool(ip(self.str(text)?).is_some())),
            (Op::Cidr, Value::String(text)) => cidr(self.str(text)?).ok_or(Fault::Error),
            (Op::IsCidr, Value::String(text)) => Ok(Value::Bool(cidr(self.str(text)?).is_some())),
            (Op::IpFamily, Value::Ip(octets)) => Ok(Value::Int(if is_ipv4(octets) { 4 } else { 6 })),
            (Op::PrefixLength, Value::Cidr(octets, bits)) => {
                let bits = if is_ipv4(octets) { bits.saturating_sub(IPV4_PREFIX) } else { bits };
                Ok(Value::Int(i64::from(bits)))
            }
            _ => Err(Fault::Error),
        }
    }

    /// `containsIP` and `containsCIDR`; the second operand may be a text.
    pub(super) fn network_contains(&mut self, op: Op, network: Value, other: Value) -> Result<Value, Fault> {
        let Value::Cidr(network, bits) = network else { return Err(Fault::Error) };
        let other = self.address(if op == Op::ContainsIp { Op::Ip } else { Op::Cidr }, other)?;
        let (octets, other_bits) = match other {
            Value::Ip(octets) => (octets, u8::MAX),
            Value::Cidr(octets, bits) => (octets, bits),
            _ => return Err(Fault::Error),
        };
        // A shorter prefix than that of IPv4 is an IPv6 network that only happens to hold the mapped addresses.
        let is_same_family = is_ipv4(network) == is_ipv4(octets);
        Ok(Value::Bool(is_same_family && bits <= other_bits && masked(octets, bits) == network))
    }
}

/// IPv4 in its mapped form.
pub(super) fn ip(text: &str) -> Option<[u8; 16]> {
    text.parse().ok().map(octets)
}

/// Address, `/` and prefix length; host bits do not count.
pub(super) fn cidr(text: &str) -> Option<Value> {
    let (address, bits) = text.split_once('/')?;
    if bits.len() > 3 || !bits.bytes().all(|byte| byte.is_ascii_digit()) || (bits.len() > 1 && bits.starts_with('0')) {
        return None;
    }
    let (bits, limit) = (bits.parse::<u8>().ok()?, if address.contains(':') { 128 } else { 32 });
    let octets = ip(address)?;
    let bits = if limit == 32 { bits.checked_add(IPV4_PREFIX)? } else { bits };
    (bits <= 128).then(|| Value::Cidr(masked(octets, bits), bits))
}
