//! The configuration through its public surface: what is read, from where, and what is refused with which words.

mod choice;
mod command_line;
mod document;
mod documentation;
mod dump;
mod foreign;
mod foreign_mistakes;
mod keys;
mod limits;
mod mistakes;
mod precedence;
mod robustness;
mod routing;
mod setting;
