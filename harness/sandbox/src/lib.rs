//! Isolates the programs of a simulated router from the machine that runs leaselab.
//!
//! [`enter`] moves the calling process into its own namespaces, with process ids that start at 1 and a network that only has
//! a loopback interface. [`Root`] gives it a root file system with the machine's system folders, read-only, and with RAM and
//! persistent folders of the router. Programs see the router's clock instead of the machine's ([`clock`]).
//!
//! Nothing outside the namespaces changes. No privileges are needed if the kernel allows unprivileged user namespaces.

pub mod clock;
mod confinement;
mod file_changes;
mod file_tree;
mod layout;
mod mounts;
mod namespaces;
mod octets;
mod plain_file;
mod root;

pub use confinement::{close_inherited_descriptors, confine_programs};
pub use file_changes::{FileChange, RecordedChange};
pub use file_tree::{FileTree, Node};
pub use layout::{
    HARNESS, LEASELAB, MACHINE, PERSISTENT_FOLDERS, RAM_FOLDER, SERVICE, check_persistent_folder,
    first_files, fresh_ram, parents,
};
pub use namespaces::{Isolation, enter};
pub use octets::Octets;
pub use plain_file::{InnerRoot, append_plain, read_plain, write_plain};
pub use root::Root;
