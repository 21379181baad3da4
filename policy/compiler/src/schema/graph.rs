//! The order of nodes: what applies to the same value comes before its user.
//!
//! In: nodes in any order. Out: nodes in this order, and where each one went. Refused: a schema that leads back to
//! itself for the same value, which no document would ever end, and one that nests too deep.

use portcullis_bundle::limits::SCHEMA_HEIGHT;

use super::model::SchemaNode;
use crate::reader::Reader;

/// The new number of each node.
pub(super) fn order(reader: &mut Reader<'_>, nodes: &mut Vec<SchemaNode>) -> Option<Vec<u32>> {
    let below: Vec<Vec<u32>> = nodes.iter_mut().map(same_value).collect();
    let mut sorting = Sorting { below: &below, heights: vec![Height::Unknown; nodes.len()], order: Vec::new() };
    for number in 0..nodes.len() as u32 {
        if let Err(broken) = sorting.visit(number, 1) {
            let (number, why) = match broken {
                Broken::Cycle(number) => (number, "leads back to itself without a step into the document".to_owned()),
                Broken::Height(number) => (number, format!("is nested deeper than the limit of {SCHEMA_HEIGHT}")),
            };
            let at = nodes.get(number as usize).map(|node| node.at).unwrap_or_default();
            reader.error(at, format!("this schema {why}"));
            return None;
        }
    }
    let mut places = vec![0; nodes.len()];
    for (&number, place) in sorting.order.iter().zip(0..) {
        if let Some(slot) = places.get_mut(number as usize) {
            *slot = place;
        }
    }
    let mut placed: Vec<(u32, SchemaNode)> = places.iter().copied().zip(nodes.drain(..)).collect();
    placed.sort_by_key(|(place, _)| *place);
    nodes.extend(placed.into_iter().map(|(_, mut node)| {
        node.visit(|_, node| *node = places.get(*node as usize).copied().unwrap_or_default());
        node
    }));
    Some(places)
}

fn same_value(node: &mut SchemaNode) -> Vec<u32> {
    let edges = node.edges().into_iter();
    edges.filter(|(edge, _)| edge.is_same_value()).map(|(_, node)| node).collect()
}

#[derive(Clone, Copy)]
enum Height {
    Unknown,
    /// It is above the node that is looked at.
    Open,
    Known(usize),
}

enum Broken {
    Cycle(u32),
    Height(u32),
}

struct Sorting<'b> {
    below: &'b [Vec<u32>],
    heights: Vec<Height>,
    order: Vec<u32>,
}

impl Sorting<'_> {
    /// How high what lies below `number` is, itself included; `depth` is how much lies above.
    fn visit(&mut self, number: u32, depth: usize) -> Result<usize, Broken> {
        match self.heights.get(number as usize) {
            None | Some(Height::Open) => return Err(Broken::Cycle(number)),
            Some(Height::Known(height)) if depth + height - 1 > SCHEMA_HEIGHT => return Err(Broken::Height(number)),
            Some(Height::Known(height)) => return Ok(*height),
            Some(Height::Unknown) if depth > SCHEMA_HEIGHT => return Err(Broken::Height(number)),
            Some(Height::Unknown) => {}
        }
        self.set(number, Height::Open);
        let mut height = 0;
        let below = self.below;
        for &node in below.get(number as usize).into_iter().flatten() {
            height = height.max(self.visit(node, depth + 1)?);
        }
        self.set(number, Height::Known(height + 1));
        self.order.push(number);
        Ok(height + 1)
    }

    fn set(&mut self, number: u32, height: Height) {
        if let Some(slot) = self.heights.get_mut(number as usize) {
            *slot = height;
        }
    }
}
