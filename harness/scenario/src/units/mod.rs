//! Values with units, and parameters, as written in scenario files.

mod bytes;
mod lease_time;
mod moment;
mod scalar;
mod seconds;
mod unit_error;
mod written_as_text;

pub use bytes::Bytes;
pub use lease_time::LeaseTime;
pub use moment::{BootClock, Moment};
pub use scalar::{Parameters, Scalar};
pub use seconds::Seconds;
pub use unit_error::UnitError;
