//! Random households: scenarios drawn from a seed, run by the runner, judged by the judge.
//!
//! A household is an ordinary [`Scenario`](scenario::Scenario), so that every invariant applies and whatever
//! fails can be written as a file that `leaselab run` fails on. Case I of a seed depends on the seed, I, the number
//! of events and the router alone: not on how many run at once.
//!
//! A household is drawn without knowing what the script will do. So it is run without insisting: a step for which the
//! router is off is left out, a cut that finds nothing to cut does not count. What was really done is what coverage
//! counts and what a minimised case consists of.

mod coverage;
mod household;
mod id;
mod reproducer;
mod session;
mod shrink;
mod texts;
mod trial;

pub use coverage::Coverage;
pub use household::draw;
pub use id::{Id, IdError};
pub use reproducer::{Reproducer, reproducer};
pub use session::{BATCH, Failure, Limits, Outcome, Session, Summary};
pub use shrink::{Minimised, minimise};
pub use trial::{Subject, Trial};
