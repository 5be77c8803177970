//! The lease database of ISC dhcpd: reader and writer.
//!
//! `dhcpd.leases` is a journal in which the last declaration of an address counts. It can be read in three views:
//!
//! * [`View::Dhcpd`]: the leases that dhcpd 4.4 keeps when it starts at a given time. The reader models its lexer and
//!   parser, including their recovery from errors (common/conflex.c, common/parse.c, server/confpars.c), and its
//!   start-up: expiry, pools, the rewrite (server/mdb.c, server/db.c).
//! * [`View::Text`]: the last declaration of each address that dhcpd's parser accepts.
//! * [`View::Salvage`]: everything that can be recovered from a damaged file. Records are units: a torn record never
//!   replaces a complete one, and damage does not affect complete records beside it.
//!
//! Well-formed leases take a fast path that reads bytes in place and agrees with the full parser on everything that it
//! accepts. All other text goes through the parser. Memory use grows with the number of addresses, not with the size of the
//! file, because the input is a stream that is read through a window.

mod config;
mod date_range;
mod date_text;
mod declaration;
mod diagnostic;
mod expression;
mod fast_path;
mod history;
mod ia;
mod ia_kind;
mod input;
mod json;
mod keyword;
mod lease;
mod lexer;
mod non_lease;
mod parameter;
mod parser;
mod reader;
mod restart;
mod salvage;
mod source;
mod statement;
mod table;
mod warning;
mod writer;

pub use config::Config;
pub use declaration::{ByteOrder, Counts, Family};
pub use diagnostic::{Consequence, Diagnostic, Diagnostics};
pub use history::{Declaration, Declared, History};
pub use ia::{Ia, IaAddress, IaTable};
pub use ia_kind::IaKind;
pub use input::Location;
pub use json::{ia_to_json, lease_to_json};
pub use lease::{BindingState, Date, Hardware, Lease, SetValue, agent_option_name};
pub use lexer::put_string;
pub use non_lease::NonLease;
pub use reader::{Options, Reading, Verdict, View, read_bytes, read_file, read_opened};
pub use table::LeaseTable;
pub use writer::{
    Unwritable, check_non_lease, keeps_hostname, write_header, write_ia, write_lease,
    write_non_lease,
};
