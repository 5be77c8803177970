//! What the programs of a simulated router see of the machine that runs leaselab.
//!
//! [`enter`] moves the calling process into namespaces of its own: a root whose system folders are the machine's, read-only;
//! RAM and persistent folders of the router's own; process ids that start at 1; a network with nothing but loopback; and the
//! router's clock instead of the machine's ([`clock`]).
//!
//! Nothing outside of the namespaces changes, and no privileges are needed where the kernel allows unprivileged user
//! namespaces.

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
pub use plain_file::{InnerRoot, read_plain, write_plain};
pub use root::Root;
