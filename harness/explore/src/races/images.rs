//! Interned file contents, so that states are small and compare fast.

use std::collections::HashMap;
use std::sync::Arc;

/// The number of interned file contents.
pub(super) type ImageId = u32;

/// All interned file contents.
#[derive(Debug, Default)]
pub(super) struct Images {
    all: Vec<Arc<Vec<u8>>>,
    known: HashMap<Arc<Vec<u8>>, ImageId>,
}

impl Images {
    pub(super) fn intern(&mut self, bytes: Vec<u8>) -> ImageId {
        if let Some(id) = self.known.get(&bytes) {
            return *id;
        }
        let (bytes, id) = (Arc::new(bytes), self.all.len() as ImageId);
        self.all.push(Arc::clone(&bytes));
        self.known.insert(bytes, id);
        id
    }

    pub(super) fn get(&self, id: ImageId) -> &Arc<Vec<u8>> {
        &self.all[id as usize]
    }
}
