//! What the fuzz targets have in common: bundles that get past their digest, and requests out of any bytes.

mod bundle;
mod request;

pub use bundle::renewed;
pub use request::Question;
