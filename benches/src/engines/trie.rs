//! The flat trie with role masks that one would write by hand for this workload alone, as fast as std allows.
//!
//! One open-addressing table holds all nodes, one cache line each: a node's key is its parent's place and its segment,
//! inline and zero-padded; its rules are role and method masks. The path is split once, eight bytes at a time.
//! It knows nothing of canonical paths, hosts, subjects' states or which rule decided, and no segment above 24 bytes.

use std::collections::HashSet;

use portcullis_core::{Request, Target};

use super::Engine;
use crate::workload::{Effect, ROLES, Rule, WILDCARD};

type Label = [u64; 3];

/// A label no segment has, for the children behind wildcards.
const ANY: Label = [u64::MAX; 3];
const ROOT: usize = 0;
const INLINE: usize = 2;
/// Rules of the workload have 6 segments at most, and no path of a request has more bytes.
const SEGMENTS: usize = 8;
const PATH_BYTES: usize = 128;

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Node {
    /// All zero when the place is free.
    label: Label,
    parent: u32,
    /// Place of the child for any segment, or `ROOT` when there is none.
    wildcard: u32,
    /// A bit for the hash of each child's label: most look-ups that would fail end here.
    children: u64,
    rules: [Masks; INLINE],
    /// The rules that find no room here.
    more: u32,
    more_count: u32,
}

#[derive(Clone, Copy, Default)]
struct Masks {
    roles: u32,
    methods: u16,
    denies: bool,
}

pub struct Trie {
    nodes: Vec<Node>,
    more: Vec<Masks>,
    roles: [([u64; 2], u32); 64],
}

#[derive(Clone, Copy, Default)]
struct Segment {
    label: Label,
    hash: u64,
}

impl Trie {
    pub fn new(rules: &[Rule]) -> Self {
        let ends =
            |path: &str| path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]).collect::<Vec<_>>();
        let prefixes: HashSet<&str> =
            rules.iter().flat_map(|rule| ends(&rule.path).into_iter().map(|end| &rule.path[..end])).collect();
        let nodes = vec![Node::default(); 2 + prefixes.len() * 2];
        let mut trie = Self { nodes, more: Vec::new(), roles: [([0; 2], 0); 64] };
        for (bit, role) in ROLES.iter().enumerate() {
            let name = name(role).unwrap_or_default();
            let mut at = role_home(name);
            while trie.roles[at].1 != 0 {
                at = (at + 1) % 64;
            }
            trie.roles[at] = (name, 1 << bit);
        }
        // Rules of one node next to each other, so that what is not inline is one range.
        let mut rules: Vec<(usize, Masks)> = rules.iter().map(|rule| (trie.insert(&rule.path), masks(rule))).collect();
        rules.sort_by_key(|(at, _)| *at);
        for of_node in rules.chunk_by(|one, next| one.0 == next.0) {
            let node = &mut trie.nodes[of_node[0].0];
            let mut of_node = of_node.iter().map(|(_, masks)| *masks);
            node.rules.iter_mut().zip(&mut of_node).for_each(|(to, masks)| *to = masks);
            node.more = trie.more.len() as u32;
            trie.more.extend(of_node);
            node.more_count = trie.more.len() as u32 - node.more;
        }
        trie
    }

    fn insert(&mut self, path: &str) -> usize {
        let (segments, count) = split(path.as_bytes()).unwrap_or_default();
        let wildcards = path.split('/').skip(1).map(|segment| segment == WILDCARD);
        segments[..count].iter().zip(wildcards).fold(ROOT, |parent, (segment, is_wildcard)| {
            let segment = if is_wildcard { Segment { label: ANY, hash: 0 } } else { *segment };
            let at = self.find(parent, &segment);
            self.nodes[at].label = segment.label;
            self.nodes[at].parent = parent as u32;
            match is_wildcard {
                true => self.nodes[parent].wildcard = at as u32,
                false => self.nodes[parent].children |= child_bit(&segment),
            }
            at
        })
    }

    /// The place of the child, or the free one where it would be.
    #[inline]
    fn find(&self, parent: usize, segment: &Segment) -> usize {
        let places = self.nodes.len() - 1;
        let hash = fold(segment.hash ^ parent as u64, 0xA076_1D64_78BD_642F);
        let mut at = 1 + ((u128::from(hash) * places as u128) >> 64) as usize;
        loop {
            let node = &self.nodes[at];
            if (node.label == segment.label && node.parent == parent as u32) || node.label[0] == 0 {
                return at;
            }
            at = if at == places { 1 } else { at + 1 };
        }
    }

    /// Every node the path leads to: deny as soon as a deny rule applies, else allow if an allow rule did.
    #[inline]
    fn walk(&self, segments: &[Segment], roles: u32, methods: u16) -> bool {
        let mut allowed = false;
        // Where a wildcard leads, and how many segments are behind: at most one place for each segment at a time.
        let mut branches = [(0_u32, 0_u32); SEGMENTS];
        let mut waiting = 0;
        let (mut at, mut depth) = (ROOT, 0);
        loop {
            let node = &self.nodes[at];
            if let Some(segment) = segments.get(depth) {
                depth += 1;
                if node.wildcard != 0 && segment.label[0] != 0 {
                    branches[waiting % SEGMENTS] = (node.wildcard, depth as u32);
                    waiting += 1;
                }
                if node.children & child_bit(segment) != 0 {
                    at = self.find(at, segment);
                    if self.nodes[at].label[0] != 0 {
                        continue;
                    }
                }
            } else {
                for masks in &node.rules {
                    if masks.roles & roles != 0 && masks.methods & methods != 0 {
                        if masks.denies {
                            return false;
                        }
                        allowed = true;
                    }
                }
                if node.more_count != 0 {
                    for masks in &self.more[node.more as usize..][..node.more_count as usize] {
                        if masks.roles & roles != 0 && masks.methods & methods != 0 {
                            if masks.denies {
                                return false;
                            }
                            allowed = true;
                        }
                    }
                }
            }
            if waiting == 0 {
                return allowed;
            }
            waiting -= 1;
            let (to, behind) = branches[waiting % SEGMENTS];
            (at, depth) = (to as usize, behind as usize);
        }
    }

    fn role(&self, role: &str) -> u32 {
        let Some(name) = name(role) else { return 0 };
        let mut at = role_home(name);
        loop {
            let (known, bit) = self.roles[at];
            if known == name || bit == 0 {
                return bit;
            }
            at = (at + 1) % 64;
        }
    }
}

impl Engine for Trie {
    #[inline]
    fn decide(&mut self, request: &Request<'_>) -> bool {
        let (Target::Http { path, .. }, Some(subject)) = (&request.target, &request.subject) else { return false };
        let Some((segments, count)) = split(path.as_bytes()) else { return false };
        let mut roles = 0;
        subject.roles.for_each(|role| roles |= self.role(role));
        self.walk(&segments[..count], roles, method_bit(request.action))
    }
}

fn masks(rule: &Rule) -> Masks {
    let methods = rule.method.map_or(u16::MAX, method_bit);
    Masks { roles: rule.roles, methods, denies: rule.effect == Effect::Deny }
}

#[inline]
fn method_bit(method: &str) -> u16 {
    match method {
        "GET" => 1,
        "POST" => 2,
        "PUT" => 4,
        "PATCH" => 8,
        "DELETE" => 16,
        _ => 32,
    }
}

#[inline]
fn child_bit(segment: &Segment) -> u64 {
    1 << (segment.hash >> 58)
}

#[inline]
fn fold(word: u64, by: u64) -> u64 {
    let product = u128::from(word) * u128::from(by);
    (product >> 64) as u64 ^ product as u64
}

/// Up to 16 bytes as words, zero-padded.
#[inline]
fn name(name: &str) -> Option<[u64; 2]> {
    let bytes = name.as_bytes();
    (bytes.len() <= 16).then(|| [word(bytes, 0), if bytes.len() > 8 { word(bytes, 8) } else { 0 }])
}

#[inline]
fn role_home(name: [u64; 2]) -> usize {
    (fold(name[0] ^ name[1].rotate_left(32), 0x9E37_79B9_7F4A_7C15) >> 58) as usize
}

/// Eight bytes from `at` on, zeros behind the end.
#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    if let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        return u64::from_le_bytes(*word);
    }
    let rest = &bytes[at.min(bytes.len())..];
    match (rest.first_chunk(), rest.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (rest.len() - 4))
        }
        _ => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The segments of a path, and how many; `None` when one does not fit a label, or the path does not fit at all.
#[inline]
fn split(path: &[u8]) -> Option<([Segment; SEGMENTS], usize)> {
    const SLASHES: u64 = u64::from_le_bytes([b'/'; 8]);
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    if path.len() >= PATH_BYTES {
        return None;
    }
    // A slash behind the end ends the last segment; eight bytes more can always be read.
    let mut text = [b'/'; PATH_BYTES + 24];
    text[..path.len()].copy_from_slice(path);
    let mut segments = [Segment::default(); SEGMENTS];
    let mut count = 0;
    let mut at = 1;
    while at <= path.len() {
        let segment = segments.get_mut(count)?;
        for part in &mut segment.label {
            let word = u64::from_le_bytes(*text[at..].first_chunk()?);
            let differences = word ^ SLASHES;
            let slash = differences.wrapping_sub(ONES) & !differences & (ONES << 7);
            if slash != 0 {
                // Everything below the slash's highest bit, without the slash itself.
                *part = word & ((slash & slash.wrapping_neg()) >> 7).wrapping_sub(1);
                at += slash.trailing_zeros() as usize / 8;
                break;
            }
            *part = word;
            at += 8;
        }
        if text[at] != b'/' {
            return None;
        }
        let [one, two, three] = segment.label;
        segment.hash = fold(one ^ two.rotate_left(21) ^ three.rotate_left(42), 0xD6E8_FEB8_6659_FD93);
        count += 1;
        at += 1;
    }
    Some((segments, count))
}
