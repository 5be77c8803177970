//! Configuration files: `--conf-file` and `--conf-dir` (option.c `one_file`, `read_file`).

use super::config::ServerConfig;
use super::hosts::{ConfigFiles, is_in_dir};
use super::init::StartFailure;

/// `EC_BADCONF` of dnsmasq.h.
const BAD_CONFIGURATION: u8 = 1;
/// `EC_FILE` of dnsmasq.h.
const NO_FILE: u8 = 3;
/// Files nested deeper than this are not read.
const MAX_DEPTH: usize = 16;

impl ServerConfig {
    /// Returns the configuration with the options of the files that it names.
    ///
    /// # Errors
    /// Returns exit code 3 if a file does not exist, and exit code 1 if an option is invalid.
    pub(crate) fn with_files(&self, files: &ConfigFiles) -> Result<ServerConfig, StartFailure> {
        let mut config = self.clone();
        for _ in 0..MAX_DEPTH {
            if config.conf_files.is_empty() && config.conf_dirs.is_empty() {
                return Ok(config);
            }
            for path in std::mem::take(&mut config.conf_files) {
                // `/dev/null` is always empty, so `files` need not contain it.
                if path == "/dev/null" {
                    continue;
                }
                let Some(text) = files.get(&path) else {
                    let message = format!("cannot read {path}: No such file or directory");
                    return Err(StartFailure::Exit { code: NO_FILE, message });
                };
                config.add_lines(&path, text)?;
            }
            for value in std::mem::take(&mut config.conf_dirs) {
                let mut words = value.split(',');
                let dir = words.next().unwrap_or_default();
                let suffixes: Vec<&str> = words.collect();
                let is_read = |path: &str| is_in_dir(path, dir) && has_read_suffix(path, &suffixes);
                for (path, text) in files.iter().filter(|(path, _)| is_read(path)) {
                    config.add_lines(path, text)?;
                }
            }
        }
        let message = "configuration files include each other".to_owned();
        Err(StartFailure::Exit { code: BAD_CONFIGURATION, message })
    }

    fn add_lines(&mut self, path: &str, text: &[u8]) -> Result<(), StartFailure> {
        for (index, line) in String::from_utf8_lossy(text).lines().enumerate() {
            let Some(option) = option_of_line(line) else { continue };
            let unmodelled = self.unmodelled.len();
            let added = self.add_option(&option, &option);
            let problem = match added {
                Err(error) => error.to_string(),
                Ok(()) if self.unmodelled.len() > unmodelled => {
                    format!("`{option}` is not modelled")
                }
                Ok(()) => continue,
            };
            let message = format!("{problem} at line {} of {path}", index + 1);
            return Err(StartFailure::Exit { code: BAD_CONFIGURATION, message });
        }
        Ok(())
    }
}

/// Returns whether `--conf-dir` with these suffixes reads a file: `*SUFFIX` includes files, any other suffix excludes
/// them.
fn has_read_suffix(path: &str, suffixes: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ends_in = |suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
    let selects = |suffix: &&&str| suffix.len() > 1 && suffix.starts_with('*');
    let mut selected = suffixes.iter().filter(selects).map(|suffix| &suffix[1..]).peekable();
    let is_excluded = suffixes
        .iter()
        .any(|suffix| !suffix.is_empty() && !suffix.starts_with('*') && ends_in(suffix));
    !is_excluded && (selected.peek().is_none() || selected.any(ends_in))
}

/// Returns the option in a line, without spaces around `=` and without a comment, or `None` for an empty line.
///
/// A `#` starts a comment only at the beginning of a word. Spaces and `#` in quotes are kept.
fn option_of_line(line: &str) -> Option<String> {
    let mut text = String::new();
    let mut quoted = false;
    let mut after_space = true;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '#' if after_space && !quoted => break,
            c => text.push(c),
        }
        after_space = c.is_ascii_whitespace();
    }
    let text = text.trim();
    let option = match text.split_once('=') {
        Some((name, value)) => format!("{}={}", name.trim(), value.trim()),
        None => text.to_owned(),
    };
    (!option.is_empty()).then_some(option)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<ServerConfig, StartFailure> {
        let files = files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
        let words = ["dnsmasq", "--conf-file=/etc/dnsmasq.conf"];
        ServerConfig::parse(&words).expect("valid options").with_files(&files)
    }

    #[test]
    fn options_in_files_have_the_same_effect_as_on_the_command_line() {
        let main = "# a comment\ndomain = lan\ndhcp-host=02:aa:00:00:00:01,\"desk\" # the desk\n\
                    conf-dir=/etc/dnsmasq.d,*.conf\n";
        let more = "dhcp-authoritative\n";
        let config = read(&[("/etc/dnsmasq.conf", main), ("/etc/dnsmasq.d/a.conf", more)])
            .expect("a configuration");
        assert_eq!(config.domain.as_deref(), Some(&b"lan"[..]));
        assert_eq!(config.hosts[0].name.as_deref(), Some(&b"desk"[..]));
        assert!(config.authoritative);
    }

    #[test]
    fn suffixes_of_a_folder_include_or_exclude_files() {
        let domain = |suffixes: &str| {
            let main = format!("conf-dir=/etc/d{suffixes}\n");
            let files = [
                ("/etc/dnsmasq.conf", main.as_str()),
                ("/etc/d/a.conf", "domain=a\n"),
                ("/etc/d/b.bak", "domain=b\n"),
                ("/etc/d/.c.conf", "domain=c\n"),
                ("/etc/d/d.conf~", "domain=d\n"),
            ];
            let config = read(&files).expect("a configuration");
            config.domain.map(|domain| String::from_utf8_lossy(&domain).into_owned())
        };
        assert_eq!(domain("").as_deref(), Some("b"));
        assert_eq!(domain(",*").as_deref(), Some("b"));
        assert_eq!(domain(",*.conf").as_deref(), Some("a"));
        assert_eq!(domain(",.bak").as_deref(), Some("a"));
        assert_eq!(domain(",.bak,.conf"), None);
    }

    #[test]
    fn dnsmasq_does_not_start_without_its_file_or_with_an_invalid_line() {
        let status = |files: &[(&str, &str)]| read(files).map_or_else(|e| e.status(), |_| 0);
        assert_eq!(status(&[]), 3);
        assert_eq!(status(&[("/etc/dnsmasq.conf", "dhcp-range=here\n")]), 1);
        assert_eq!(status(&[("/etc/dnsmasq.conf", "conf-file=/etc/dnsmasq.conf\n")]), 1);
    }
}
