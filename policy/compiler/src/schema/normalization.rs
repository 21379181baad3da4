//! `x-trim`, `x-lowercase`, `x-uppercase`: which nodes lead to one, and where they may stand.
//!
//! In: nodes with their own flags. Out: the flag `NORMALIZES` on every node that leads to one. Refused: one below a
//! keyword that only asks (`anyOf`, `not`, `if` ...), for then a document would be changed by what does not apply.

use portcullis_bundle::schema::node_flags::{LOWERCASE, NORMALIZES, TRIM, UPPERCASE};

use super::model::{Edge, SchemaNode};
use crate::reader::Reader;

pub(super) fn spread(reader: &mut Reader<'_>, nodes: &mut [SchemaNode]) {
    let edges: Vec<Vec<(Edge, u32)>> = nodes.iter_mut().map(SchemaNode::edges).collect();
    let mut above: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
    for (edges, from) in edges.iter().zip(0..) {
        for (_, to) in edges.iter().filter(|(edge, _)| matches!(edge, Edge::Same | Edge::Part)) {
            if let Some(above) = above.get_mut(*to as usize) {
                above.push(from);
            }
        }
    }
    let is_own = |node: &SchemaNode| node.flags & (TRIM | LOWERCASE | UPPERCASE) != 0;
    let own = nodes.iter().zip(0..).filter(|(node, _)| is_own(node)).map(|(_, number)| number);
    let mut left: Vec<u32> = own.collect();
    while let Some(number) = left.pop() {
        let Some(node) = nodes.get_mut(number as usize) else { continue };
        if node.flags & NORMALIZES == 0 {
            node.flags |= NORMALIZES;
            left.extend(above.get(number as usize).into_iter().flatten());
        }
    }
    for (_, to) in edges.iter().flatten().filter(|(edge, _)| !matches!(edge, Edge::Same | Edge::Part)) {
        let Some(node) = nodes.get(*to as usize).filter(|node| node.flags & NORMALIZES != 0) else { continue };
        let message =
            "this schema changes texts, but it stands where it may not apply (`anyOf`, `not`, `if` and the like)";
        let help = "put `x-trim`, `x-lowercase` and `x-uppercase` below `properties`, `items` or `allOf` only";
        reader.error_with_help(node.at, message, Some(help.to_owned()));
    }
}
