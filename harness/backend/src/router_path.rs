//! The paths of a router's files.

/// The folders in RAM, which are empty after a power cut.
const RAM: [&str; 3] = ["/tmp/", "/run/", "/var/"];
/// The folders below them that keep their contents.
const KEPT: [&str; 2] = ["/var/lib/misc/", "/var/tmp/"];
/// A path has at most this many bytes (`PATH_MAX` of Linux).
const MAX_BYTES: usize = 4096;

/// The path of a file, by what happens to the file when power is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterPath {
    /// In RAM: the path relative to the root.
    Ram(String),
    /// On a file system that keeps its contents: the path relative to the root.
    Persistent(String),
}

impl RouterPath {
    /// Parses an absolute path.
    ///
    /// # Errors
    /// A path that is not absolute, or with components that are empty, `.` or `..`.
    pub fn parse(path: &str) -> Result<Self, String> {
        let invalid = |why: &str| Err(format!("invalid path `{path}`: {why}"));
        let Some(rest) = path.strip_prefix('/') else {
            return invalid("expected an absolute path, for example /tmp/hosts");
        };
        if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return invalid("a component is empty, `.` or `..`");
        }
        if path.len() > MAX_BYTES || path.contains('\0') {
            return invalid("longer than 4096 bytes, or with a NUL byte");
        }
        let is_below = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        let name = rest.to_owned();
        let in_ram = is_below(&RAM) && !is_below(&KEPT);
        Ok(if in_ram { Self::Ram(name) } else { Self::Persistent(name) })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn files_are_in_ram_or_kept_by_their_path() {
        assert_eq!(RouterPath::parse("/tmp/a/b"), Ok(RouterPath::Ram("tmp/a/b".to_owned())));
        let hosts = RouterPath::Persistent("etc/hosts".to_owned());
        assert_eq!(RouterPath::parse("/etc/hosts"), Ok(hosts));
        let leases = RouterPath::Persistent("var/lib/misc/dnsmasq.leases".to_owned());
        assert_eq!(RouterPath::parse("/var/lib/misc/dnsmasq.leases"), Ok(leases));
        assert_eq!(RouterPath::parse("/var/run/x"), Ok(RouterPath::Ram("var/run/x".to_owned())));
    }

    #[rstest]
    #[case("hosts")]
    #[case("/")]
    #[case("/tmp/")]
    #[case("/tmp/../etc/passwd")]
    #[case("/tmp//x")]
    fn paths_that_are_not_absolute_and_plain_are_rejected(#[case] path: &str) {
        assert!(RouterPath::parse(path).is_err(), "{path}");
    }
}
