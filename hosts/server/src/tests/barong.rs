//! Barong: the worked examples of its reference, and what is answered otherwise on purpose.

mod examples;
mod gateway;
mod people;
