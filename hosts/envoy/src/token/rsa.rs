//! Verifies RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2.2) for the public exponent 65537.
//!
//! Everything here is public, so nothing needs to be constant in time. The padding is compared with the one that is
//! right, it is never parsed. Numbers are limbs of 32 bits, the lowest first; products are Montgomery's.

use sha2::{Digest, Sha256};

/// Squarings in raising to 65537 = 2^16 + 1.
const SQUARINGS: usize = 16;
const SIZES_BYTES: core::ops::RangeInclusive<usize> = 256..=512;

#[derive(Debug)]
pub struct RsaKey {
    /// Big-endian, without leading zeros.
    pub modulus: Vec<u8>,
    n: Vec<u32>,
    /// -1/n modulo 2^32.
    negated_inverse: u32,
    /// R^2 modulo n, where R is 2^32 to the number of limbs.
    r_squared: Vec<u32>,
}

impl RsaKey {
    /// `None` unless `modulus`, big-endian, is odd and of an accepted size.
    pub fn new(modulus: &[u8]) -> Option<Self> {
        let zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
        let modulus = modulus.get(zeros..)?;
        let is_odd = modulus.last().is_some_and(|last| last & 1 == 1);
        // Half a limb more or less would only make the arithmetic longer to read; no such keys are made.
        let is_accepted = SIZES_BYTES.contains(&modulus.len()) && modulus.len().is_multiple_of(4);
        if !is_odd || !is_accepted {
            return None;
        }
        let n = limbs(modulus);
        let negated_inverse = inverse(*n.first()?).wrapping_neg();
        let r_squared = power_of_two(n.len().checked_mul(64)?, &n);
        Some(Self { modulus: modulus.to_vec(), n, negated_inverse, r_squared })
    }

    /// Whether this key made the signature of `text`.
    pub fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.modulus.len() || signature >= self.modulus.as_slice() {
            return false;
        }
        self.raise(&limbs(signature)) == limbs(&padded(text, self.modulus.len()))
    }

    /// `base` to 65537 modulo n.
    fn raise(&self, base: &[u32]) -> Vec<u32> {
        let base = self.multiply(base, &self.r_squared);
        let mut power = base.clone();
        for _ in 0..SQUARINGS {
            power = self.multiply(&power, &power);
        }
        let power = self.multiply(&power, &base);
        let mut one = vec![0; self.n.len()];
        one.iter_mut().take(1).for_each(|low| *low = 1);
        self.multiply(&power, &one)
    }

    /// a * b / R modulo n, for a and b below n.
    fn multiply(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut sum = vec![0_u32; self.n.len().saturating_add(2)];
        for &limb in a {
            add_product(&mut sum, limb, b);
            let low = sum.first().copied().unwrap_or_default();
            add_product(&mut sum, low.wrapping_mul(self.negated_inverse), &self.n);
            // The lowest limb is zero now: divide by 2^32.
            sum.rotate_left(1);
        }
        subtract_if_not_less(&mut sum, &self.n);
        sum.truncate(self.n.len());
        sum
    }
}

/// sum += factor * number; the caller left room for the carry.
fn add_product(sum: &mut [u32], factor: u32, number: &[u32]) {
    let mut carry = 0_u64;
    for (limb, other) in sum.iter_mut().zip(number.iter().copied().chain(core::iter::repeat(0))) {
        // At most (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1.
        let total = u64::from(factor).wrapping_mul(u64::from(other)).wrapping_add(u64::from(*limb)).wrapping_add(carry);
        *limb = total as u32;
        carry = total >> 32;
    }
}

/// number -= n, if it is not less; `number` may have more limbs.
fn subtract_if_not_less(number: &mut [u32], n: &[u32]) {
    let mut borrow = 0_u64;
    let difference =
        |limb: u32, other: u32, borrow: u64| u64::from(limb).wrapping_sub(u64::from(other)).wrapping_sub(borrow);
    let mut differences = Vec::with_capacity(number.len());
    for (limb, other) in number.iter().zip(n.iter().copied().chain(core::iter::repeat(0))) {
        let total = difference(*limb, other, borrow);
        differences.push(total as u32);
        borrow = total >> 63;
    }
    if borrow == 0 {
        number.copy_from_slice(&differences);
    }
}

/// 2^exponent modulo n.
fn power_of_two(exponent: usize, n: &[u32]) -> Vec<u32> {
    let mut power = vec![0_u32; n.len().saturating_add(1)];
    power.iter_mut().take(1).for_each(|low| *low = 1);
    for _ in 0..exponent {
        let mut carry = 0;
        for limb in &mut power {
            let doubled = *limb << 1 | carry;
            carry = *limb >> 31;
            *limb = doubled;
        }
        subtract_if_not_less(&mut power, n);
    }
    power.truncate(n.len());
    power
}

/// 1/odd modulo 2^32 by Newton's iteration, which doubles the right bits from the lowest three.
fn inverse(odd: u32) -> u32 {
    let mut inverse = odd;
    for _ in 0..4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

fn limbs(big_endian: &[u8]) -> Vec<u32> {
    let limb = |bytes: &[u8]| bytes.iter().fold(0_u32, |limb, &byte| limb << 8 | u32::from(byte));
    big_endian.rchunks(4).map(limb).collect()
}

/// The hash of `text` as it is signed: EMSA-PKCS1-v1_5 (RFC 8017 section 9.2).
fn padded(text: &[u8], size_bytes: usize) -> Vec<u8> {
    /// DER of `DigestInfo` for SHA-256 up to the hash (RFC 8017 section 9.2, note 1).
    const DIGEST_INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ];
    let hash = Sha256::digest(text);
    let filler = size_bytes.saturating_sub(DIGEST_INFO.len()).saturating_sub(hash.len()).saturating_sub(3);
    [&[0, 1], vec![0xFF; filler].as_slice(), &[0], &DIGEST_INFO, &hash].concat()
}
