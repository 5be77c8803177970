//! Busybox with fewer applets, for images that imitate those of another firmware.
//!
//! Debian's busybox runs an applet without looking into the PATH (`FEATURE_PREFER_APPLETS`), so missing links would hide
//! nothing. Its table of applets' names is sorted and searched by bisection (`find_applet_by_name` of libbb/appletlib.c).

/// The beginning of the table.
const FIRST: &[u8] = b"[\0[[\0acpid\0";

/// A busybox that does not know other applets than those in `keep`; `None` if it has no table of names.
///
/// Each other name is changed in its last byte to one that no applet has and that keeps the table sorted. (`w` has no such name, and stays.)
pub(super) fn keep_only(busybox: &[u8], keep: &[&str]) -> Option<Vec<u8>> {
    let start = busybox.windows(FIRST.len()).position(|window| window == FIRST)?;
    let names: Vec<&[u8]> =
        busybox[start..].split(|byte| *byte == 0).take_while(|name| !name.is_empty()).collect();
    let mut changed = busybox.to_vec();
    let mut at = start;
    let mut previous: Vec<u8> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let mut new = name.to_vec();
        if !keep.iter().any(|kept| kept.as_bytes() == *name) {
            let next = names.get(index + 1).copied();
            let (stem, _) = name.split_at(name.len() - 1);
            let unused = (1..=u8::MAX).map(|last| [stem, &[last]].concat()).find(|new| {
                *new > previous
                    && next.is_none_or(|next| new.as_slice() < next)
                    && !names.contains(&new.as_slice())
            });
            new = unused.unwrap_or(new);
        }
        changed[at..at + new.len()].copy_from_slice(&new);
        at += new.len() + 1;
        previous = new;
    }
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_applets_get_names_that_keep_the_table_sorted() {
        let table = b"code\0[\0[[\0acpid\0ar\0base64\0cat\0ls\0lsmod\0time\0timeout\0\0data";
        let changed = keep_only(table, &["[", "[[", "cat", "lsmod", "timeout"]).expect("a table");
        let names = &changed[b"code\0".len()..changed.len() - b"\0\0data".len()];
        let names: Vec<&[u8]> = names.split(|byte| *byte == 0).collect();
        assert!(names.is_sorted());
        for (name, visible) in [("cat", true), ("timeout", true), ("ls", false), ("time", false)] {
            assert_eq!(names.contains(&name.as_bytes()), visible, "{name}");
        }
        assert_eq!(changed.len(), table.len());
        assert_eq!(keep_only(b"no table", &[]), None);
    }
}
