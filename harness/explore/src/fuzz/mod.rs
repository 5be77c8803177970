//! Random households: scenarios that are generated from a seed, played by the runner and judged by its judge.
//!
//! A household is an ordinary [`Scenario`](scenario::Scenario). Every invariant applies to it, and a failing one can be
//! written to a file on which `leaselab run` fails. A case depends only on the seed, its number, the number of events and
//! the router, not on how many cases run at once.
//!
//! A household is generated without knowledge of what the script will do, so it is played leniently: a step that needs a
//! running router is skipped while the router is off, and a cut that finds nothing to cut has no effect. Coverage counts
//! what was executed, and a minimised case consists of what was executed.

mod coverage;
mod generate;
mod hostile_inputs;
mod household_id;
mod household_id_error;
mod id_text;
mod minimise;
mod reproducer;
mod session;
mod subject;
mod trial;

pub use coverage::Coverage;
pub use generate::generate;
pub use household_id::HouseholdId;
pub use household_id_error::HouseholdIdError;
pub use minimise::{Minimised, minimise};
pub use reproducer::{Reproducer, reproducer};
pub use session::{AllowedFinding, Failure, Limits, Session, SessionResult, Summary};
pub use subject::Subject;
pub use trial::Trial;
