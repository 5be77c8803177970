//! The paths of a router's files.

/// The folder in RAM, which is empty after a power cut.
const RAM: &str = "/tmp/";
/// A path has at most this many bytes (`PATH_MAX` of Linux).
const MAX_BYTES: usize = 4096;

/// The path of a file, by what happens to the file when power is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouterPath {
    /// In RAM: the path below `/tmp`.
    Ram(String),
    /// On a file system that keeps its contents: the whole path.
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
        Ok(match path.strip_prefix(RAM) {
            Some(name) => Self::Ram(name.to_owned()),
            None => Self::Persistent(path.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn files_below_tmp_are_in_ram() {
        assert_eq!(RouterPath::parse("/tmp/a/b"), Ok(RouterPath::Ram("a/b".to_owned())));
        let hosts = RouterPath::Persistent("/etc/hosts".to_owned());
        assert_eq!(RouterPath::parse("/etc/hosts"), Ok(hosts));
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
