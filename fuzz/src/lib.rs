//! What the fuzz targets have in common: bundles that get past their digest, and requests and documents out of any bytes.

mod bundle;
mod document;
mod request;

pub use bundle::renewed;
pub use document::Checked;
pub use request::Question;
