//! A function with the behaviour of `scenarios/scripts/naive.sh`: `set` and `commit` in every call, without checks.

use dnsmasq_model::LeaseLine;
use lease_script::{Call, Nvram, OperationError, Outcome};

const PREFIX: &[u8] = b"dnsmasq_lease_";

/// Makes one call of the naive script.
pub(super) fn run(call: &Call, nvram: &mut dyn Nvram) -> Outcome {
    let mut outcome = Outcome { stdout: Vec::new(), stderr: Vec::new(), exit: 0, killed: false };
    match steps(call, nvram) {
        Ok((stdout, exit)) => (outcome.stdout, outcome.exit) = (stdout, exit),
        Err(_) => outcome.killed = true,
    }
    outcome
}

fn steps(call: &Call, nvram: &mut dyn Nvram) -> Result<(Vec<u8>, u8), OperationError> {
    let word = |index: usize| call.args.get(index).map_or(&[][..], Vec::as_slice);
    let name = [PREFIX, word(2)].concat();
    match word(0) {
        b"init" => {
            let shown = nvram.run(&[b"show"])?.stdout;
            let values = shown
                .split(|byte| *byte == b'\n')
                .filter(|line| line.starts_with(PREFIX))
                .filter_map(|line| line.splitn(2, |byte| *byte == b'=').nth(1));
            return Ok((values.flat_map(|value| [value, b"\n"].concat()).collect(), 0));
        }
        b"add" | b"old" => {
            let variable = |name: &str| call.env.get(name);
            let time = variable("DNSMASQ_LEASE_LENGTH").or(variable("DNSMASQ_LEASE_EXPIRES"));
            let client_id = variable("DNSMASQ_CLIENT_ID").unwrap_or_default();
            let value = LeaseLine {
                time: time.unwrap_or_default(),
                id: word(1),
                address: word(2),
                hostname: LeaseLine::or_none(word(3)),
                client_id: LeaseLine::or_none(client_id),
            };
            nvram.run(&[b"set", &[&name[..], b"=", &value.to_bytes()].concat()])?;
        }
        b"del" => {
            nvram.run(&[b"unset", &name])?;
        }
        // The script of 2006 commits in every call but `init`, even for unknown actions.
        _ => {}
    }
    // The script exits with the exit code of its last command.
    Ok((Vec::new(), u8::try_from(nvram.run(&[b"commit"])?.code).unwrap_or(u8::MAX)))
}
