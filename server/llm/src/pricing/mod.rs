//! What a reply costs.

mod data;
mod price;
mod table;

pub use price::Price;
pub use table::PriceTable;
