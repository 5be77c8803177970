//! The verdicts of `leaselab check`: groups of properties, what was found in each, and the answers at the end of the page.

mod answers;
mod attribution;
mod cause;
mod check_result;
mod explanation;
mod flash_life;
mod group_result;
mod lease_fault;
mod observation;
mod page;
mod reports;
mod verdict;

pub use cause::Cause;
pub use check_result::CheckResult;
pub use flash_life::{FlashLife, LifeEstimate, measure as flash_life, typical_router};
pub use group_result::{GroupResult, group_results};
pub use observation::{Observation, Origin};
pub use page::page;
pub use reports::{complete, junit_tests};
pub use verdict::GroupVerdict;
