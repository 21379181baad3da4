//! `accept-encoding` (RFC 9110 section 12.5.3) -> how the answer is sent.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

use crate::publish::Coding;

impl Coding {
    /// Its name on the wire; the identity has none.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// The coding that the client likes best; among equals the smaller one. Whoever says nothing gets the bytes as they are.
pub fn negotiate(headers: &HeaderMap) -> Coding {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let offers: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).filter_map(offer).collect();
    let weight = |name: &str| {
        let named = offers.iter().find(|(offered, _)| offered.eq_ignore_ascii_case(name));
        named.map_or(0.0, |&(_, weight)| weight)
    };
    let [zstd, gzip, identity] = [weight("zstd"), weight("gzip").max(weight("x-gzip")), weight("identity")];
    match (zstd, gzip) {
        _ if zstd > 0.0 && zstd >= gzip && zstd >= identity => Coding::Zstd,
        _ if gzip > 0.0 && gzip >= identity => Coding::Gzip,
        _ => Coding::Identity,
    }
}

/// `name` or `name;q=0.5`.
fn offer(item: &str) -> Option<(&str, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    match parts.next() {
        None => Some((name, 1.0)),
        Some(weight) => {
            let (key, weight) = weight.split_once('=')?;
            let weight: f32 = weight.trim().parse().ok()?;
            (key.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&weight)).then_some((name, weight))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_and_the_smaller_one_wins_a_tie() {
        for (header, expected) in [
            ("", Coding::Identity),
            ("gzip", Coding::Gzip),
            ("GZIP, br", Coding::Gzip),
            ("gzip, zstd", Coding::Zstd),
            ("zstd;q=0.5, gzip;q=0.8", Coding::Gzip),
            ("zstd;q=0, gzip;q=0", Coding::Identity),
            ("identity, gzip;q=0.5", Coding::Identity),
            ("br, deflate", Coding::Identity),
            ("gzip;q=2", Coding::Identity),
            ("gzip;x=1", Coding::Identity),
            ("*", Coding::Identity),
        ] {
            let headers = [(ACCEPT_ENCODING, header.parse().unwrap())].into_iter().collect();
            assert_eq!(negotiate(&headers), expected, "{header}");
        }
        assert_eq!(negotiate(&HeaderMap::new()), Coding::Identity);
    }
}
