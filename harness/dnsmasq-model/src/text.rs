//! Byte strings that are shared between messages, leases and calls.

use std::sync::Arc;

/// Bytes that a client chose, such as a client identifier or a host name. This type is cheap to clone.
pub type Text = Arc<[u8]>;

/// Replaces a text with another one that is equal, so that both share one allocation and can be compared by address.
pub fn share_text(own: &mut Option<Text>, equal: Option<&Text>) {
    if let (Some(own), Some(equal)) = (own, equal)
        && !Arc::ptr_eq(own, equal)
    {
        *own = Arc::clone(equal);
    }
}
