//! Lists of tags (dhcp-common.c).

/// Whether a list without tags matches (`tagnotneeded` of `match_netid`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EmptyList {
    Matches,
    DoesNotMatch,
}

/// Returns whether every tag of `check` is set and every `!tag` is not set (dhcp-common.c `match_netid`).
pub(crate) fn match_tags(check: &[String], tags: &[String], empty: EmptyList) -> bool {
    if check.is_empty() {
        return empty == EmptyList::Matches;
    }
    check.iter().all(|want| match want.strip_prefix(['!', '#']) {
        Some(not) => !tags.iter().any(|t| t == not),
        None => tags.iter().any(|t| t == want),
    })
}

/// Removes duplicates and keeps the last of equal tags ("kill dupes" in rfc2131.c).
pub(crate) fn dedup_keep_last(tags: &[String]) -> Vec<String> {
    let mut kept = Vec::with_capacity(tags.len());
    for (i, tag) in tags.iter().enumerate() {
        if !tags[i + 1..].contains(tag) {
            kept.push(tag.clone());
        }
    }
    kept
}
