//! The most recent loads of the flash and of the staging file.
//!
//! Loading an image is the most expensive part of a command, and a router is often cloned hundreds of times. The clones
//! share one load.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::handle::{Handle, OpenError};
use super::kernel_ram::KernelRam;
use crate::flsh::Table;

/// Variables as (name, value), in the order of a tool's `show`.
pub type Variables = Vec<(Vec<u8>, Vec<u8>)>;

/// The variables of an image as a tool or a driver loaded them. Clones share them.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// Loaded by an OpenWrt tool.
    File(Arc<Handle>),
    /// Loaded by a kernel driver.
    Kernel(Arc<KernelRam>),
}

impl Loaded {
    /// The variables in their hash table.
    pub fn table(&self) -> &Table {
        match self {
            Self::File(handle) => &handle.table,
            Self::Kernel(ram) => &ram.table,
        }
    }

    /// The variables in the order of `show`.
    pub fn variables(&self) -> Variables {
        fn collect<'t>(pairs: impl Iterator<Item = (&'t [u8], &'t [u8])>) -> Variables {
            pairs.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
        }
        match self {
            Self::File(handle) => collect(handle.table.iter_reversed()),
            Self::Kernel(ram) => collect(ram.table.iter()),
        }
    }
}

/// The result of loading certain flash contents, for reuse by another machine with identical contents.
#[derive(Clone, Debug)]
pub struct FlashLoad {
    size: u32,
    result: Result<Loaded, OpenError>,
}

impl FlashLoad {
    /// The result, if the flash was loaded as a partition of `size` bytes.
    pub(in crate::dialect) fn of_size(self, size: u32) -> Option<Loaded> {
        self.result.ok().filter(|_| self.size == size)
    }
}

/// Remembers the last load of the flash and the last load of the staging file.
#[derive(Debug, Default)]
pub(crate) struct LoadCache(Mutex<CachedLoads>);

#[derive(Clone, Debug, Default)]
struct CachedLoads {
    /// Keyed by [`Flash::version`](crate::device::Flash::version).
    flash: Option<CachedLoad<u64, Loaded>>,
    /// Keyed by the address of the file. Keeping the file ensures that no other file gets its address.
    staging: Option<CachedLoad<Arc<Vec<u8>>, Arc<Handle>>>,
}

#[derive(Clone, Debug)]
struct CachedLoad<Key, Value> {
    key: Key,
    /// Size of the partition or of the NVRAM space that was assumed.
    size: u32,
    result: Result<Value, OpenError>,
}

impl LoadCache {
    fn lock(&self) -> MutexGuard<'_, CachedLoads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The load of the flash contents `version` as `size` bytes; calls `load` if it is not cached.
    pub(in crate::dialect) fn get_or_load_flash(
        &self,
        version: u64,
        size: u32,
        load: impl FnOnce() -> Result<Loaded, OpenError>,
    ) -> Result<Loaded, OpenError> {
        let cached = &mut self.lock().flash;
        match cached {
            Some(hit) if hit.key == version && hit.size == size => hit.result.clone(),
            _ => cached.insert(CachedLoad { key: version, size, result: load() }).result.clone(),
        }
    }

    /// The load of the staging file `file` as `size` bytes; calls `load` if it is not cached.
    pub(in crate::dialect) fn get_or_load_staging(
        &self,
        file: &Arc<Vec<u8>>,
        size: u32,
        load: impl FnOnce() -> Result<Handle, OpenError>,
    ) -> Result<Arc<Handle>, OpenError> {
        let cached = &mut self.lock().staging;
        match cached {
            Some(hit) if Arc::ptr_eq(&hit.key, file) && hit.size == size => hit.result.clone(),
            _ => {
                let result = load().map(Arc::new);
                cached.insert(CachedLoad { key: Arc::clone(file), size, result }).result.clone()
            }
        }
    }

    /// The cached load of the flash contents `version`.
    pub(crate) fn flash(&self, version: u64) -> Option<FlashLoad> {
        let loads = self.lock();
        let hit = loads.flash.as_ref().filter(|hit| hit.key == version)?;
        Some(FlashLoad { size: hit.size, result: hit.result.clone() })
    }

    /// Caches a load of contents that are known to be equal to the contents `version`.
    pub(crate) fn cache_flash(&self, version: u64, load: &FlashLoad) {
        let (size, result) = (load.size, load.result.clone());
        self.lock().flash = Some(CachedLoad { key: version, size, result });
    }

    /// Caches the result that a load of the flash contents `version` will have.
    pub(in crate::dialect) fn put_flash(&self, version: u64, size: u32, loaded: Loaded) {
        self.lock().flash = Some(CachedLoad { key: version, size, result: Ok(loaded) });
    }

    /// The cached load of the staging file `file`.
    pub(in crate::dialect) fn staging(
        &self,
        file: &Arc<Vec<u8>>,
        size: u32,
    ) -> Option<Arc<Handle>> {
        let loads = self.lock();
        let hit = loads.staging.as_ref()?;
        if Arc::ptr_eq(&hit.key, file) && hit.size == size {
            hit.result.as_ref().ok().cloned()
        } else {
            None
        }
    }

    /// Caches the result that a load of the staging file `file` will have.
    pub(in crate::dialect) fn put_staging(
        &self,
        file: &Arc<Vec<u8>>,
        size: u32,
        handle: Arc<Handle>,
    ) {
        self.lock().staging = Some(CachedLoad { key: Arc::clone(file), size, result: Ok(handle) });
    }

    /// Drops the cached load of the staging file, so that the file has a single owner and can be changed in
    /// place.
    pub(in crate::dialect) fn forget_staging(&self) {
        self.lock().staging = None;
    }
}

impl Clone for LoadCache {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}
