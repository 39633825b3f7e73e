//! What a reply costs.

mod data;
mod price;
mod table;
mod unit_data;
mod units;

pub use price::Price;
pub use table::PriceTable;
pub use units::{Unit, UnitPrice};
