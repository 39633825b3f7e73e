//! What a reply costs.

mod data;
mod price;
mod table;
mod unit_data;
mod unit_table;
mod units;

pub use price::Price;
pub use table::PriceTable;
pub use unit_table::UnitPriceTable;
pub use units::{Unit, UnitPrice};
