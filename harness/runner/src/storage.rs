//! The persistent folders of a case.

use std::path::Path;

use backend::process::{FileTree, Storage, check_persistent_folder};
use scenario::diagnostics::SourceError;
use scenario::{Case, PersistentFolder};

/// The persistent folders that the scenario's `[router]` names.
///
/// # Errors
/// A folder that cannot be persistent, or whose contents cannot be read.
pub(super) fn storage(case: &Case) -> Result<Storage, SourceError> {
    let router = &case.scenario.router;
    let refuse = |message: String| case.error(case.section("router"), message);
    let mut storage = match &router.persistent {
        None => Storage::default(),
        Some(folders) => {
            let folders: Result<Vec<_>, SourceError> = folders
                .iter()
                .map(|folder| {
                    check_persistent_folder(folder.path()).map_err(refuse)?;
                    let files = match folder {
                        PersistentFolder::Path(_) => None,
                        PersistentFolder::Filled(folder) => {
                            let beside = case.source.path.parent().unwrap_or(Path::new("."));
                            let from = beside.join(&folder.from);
                            let real = from.canonicalize();
                            let files =
                                real.and_then(|real| FileTree::read(&real)).map_err(|error| {
                                    refuse(format!("persistent folder {}: {error}", from.display()))
                                })?;
                            Some(files)
                        }
                    };
                    Ok((folder.path().to_owned(), files))
                })
                .collect();
            Storage::new(folders?)
        }
    };
    storage.size = router.persistent_size.map(|size| size.0);
    storage.ordering = router.write_ordering;
    storage.unsynced = router.unsynced;
    storage.has_faults = case.scenario.steps.iter().any(|step| {
        let disturbance = step.get_ref().disturbance.as_ref();
        disturbance.is_some_and(|it| it.disturbance.is_at_file_change())
    });
    Ok(storage)
}
