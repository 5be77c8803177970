//! Fuzz targets: for any output of a tool, `init` prints only valid lines, and no call panics.

use lease_script::{
    Call, Config, Environment, MemoryIntentLog, Nvram, NvramOutput, OperationError, Record, Stored,
    run,
};

/// Pieces of stored text, so that random input gets past the first word.
const PIECES: [&[u8]; 24] = [
    b"dnsmasq_lease_192.168.1.10",
    b"dnsmasq_lease_fd77::1f2e",
    b"dnsmasq_lease_duid",
    b"=",
    b"1700003600",
    b" ",
    b"02:aa:00:00:00:01",
    b"192.168.1.10",
    b"laptop",
    b"*",
    b"fd77::1f2e",
    b"T5",
    b"4294967296",
    b"duid ",
    b"00:01:00:01",
    b"\n",
    b"0",
    b"06-02:aa",
    b"00:0",
    b"\xff",
    b"99 entries, 1 bytes used, 32768 bytes free.\n",
    b"size: 1 bytes (9 left)\n",
    b"=\n",
    b"\0",
];

fn text(bytes: &[u8]) -> Vec<u8> {
    let piece = |byte: &u8| match PIECES.get(usize::from(*byte)) {
        Some(piece) => piece.to_vec(),
        None => vec![*byte],
    };
    bytes.iter().flat_map(piece).collect()
}

/// A tool whose `show` and `get` disagree, and which accepts every change.
struct InconsistentTool {
    shown: Vec<u8>,
    value: Vec<u8>,
    code: i32,
}

impl Nvram for InconsistentTool {
    fn run(&mut self, args: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        let stdout = match args.first() {
            Some(&b"show") => self.shown.clone(),
            Some(&b"get") => [&self.value, &b"\n"[..]].concat(),
            _ => Vec::new(),
        };
        Ok(NvramOutput { stdout, stderr: Vec::new(), code: self.code })
    }
}

#[test]
fn fuzz_the_script_with_an_inconsistent_tool() {
    fuzz_inputs::check!(500, |bytes: &[u8]| {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let code = i32::from(bytes.first().is_some_and(|byte| *byte > 250));
        let mut tool = InconsistentTool { shown: text(first), value: text(second), code };
        let config = Config::from_env(&Environment::default()).expect("the default configuration");
        let mut call = |words: &[&[u8]], environment: Environment| {
            let call = Call::new(words.iter().map(|word| word.to_vec()), environment);
            run(&call, &config, &mut tool, &mut MemoryIntentLog::default())
        };
        let printed = call(&[b"init"], Environment::default());
        for line in printed.stdout.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").expect("whole lines");
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
            let name = if words[0] == b"duid" { &b"duid"[..] } else { words[2] };
            assert!(Stored::parse(name, line).is_ok(), "{}", line.escape_ascii());
        }
        let variables: Environment =
            [("DNSMASQ_LEASE_EXPIRES", text(second))].into_iter().collect();
        call(&[b"add", &text(first), b"192.168.1.10", &text(second)], variables);
        call(&[b"del", b"02:aa", &text(first)], Environment::default());
    });
}

#[test]
fn fuzz_the_record_parser() {
    fuzz_inputs::check!(1000, |bytes: &[u8]| {
        let text = text(bytes);
        let (name, value) = match text.iter().position(|byte| *byte == b'=') {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (&b"192.168.1.10"[..], &text[..]),
        };
        let name = name.strip_prefix(b"dnsmasq_lease_").unwrap_or(name);
        if let Ok(Stored::Lease(Record { host, .. })) = Stored::parse(name, value) {
            assert!(!host.is_empty() && host.len() <= 255);
            assert!(value.windows(name.len()).any(|part| part == name));
        }
    });
}
