//! The `nvram` tool of the tests: sends its arguments to the test that listens on the socket `FAKE_NVRAM`, and prints the
//! answer. The test simulates the variables and all faults.

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::process::{Signal, getpid, kill_process};

fn main() -> io::Result<ExitCode> {
    let Some(socket) = env::var_os("FAKE_NVRAM") else {
        return Err(io::Error::other(
            "FAKE_NVRAM is not set: only the tests of lease-script start this",
        ));
    };
    let mut stream = UnixStream::connect(socket)?;
    let args: Vec<Vec<u8>> = env::args_os().skip(1).map(OsStringExt::into_vec).collect();
    stream.write_all(&args.join(&0))?;
    stream.shutdown(std::net::Shutdown::Write)?;

    // Exit code, length of standard output, standard output, standard error. Empty if the test killed the script.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let Some((head, text)) = answer.split_first_chunk::<5>() else {
        return Ok(ExitCode::from(137));
    };
    let [code, length @ ..] = *head;
    let (stdout, stderr) = text.split_at(u32::from_le_bytes(length) as usize);
    io::stdout().write_all(stdout)?;
    io::stderr().write_all(stderr)?;
    if code == 139 {
        kill_process(getpid(), Signal::SEGV)?;
    }
    Ok(code.into())
}
