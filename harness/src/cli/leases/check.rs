//! `leaselab leases check`: what the server would lose at its next start.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lease_script::dhcpd::{Consequence, Lease, Reading, Verdict, ia_to_json, lease_to_json};

use super::super::{Exit, Failure};
use super::load::{As, Content, How};
use super::{clock, print};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let with = |view: As| How { view, ..args.how.clone() };
    let server = with(As::Dhcpd).load(&args.file)?;
    let path = args.file.display().to_string();
    let mut lines: Vec<String> =
        server.problems.iter().map(|problem| format!("{path}:{problem}")).collect();
    if server.total > lines.len() as u64 {
        lines.push(format!("{path}: {} more problems", server.total - lines.len() as u64));
    }
    let lost = match &server.content {
        Content::Other(_) => {
            anstream::eprint!("{}", server.losses);
            lines.push(format!("{path}: {} problems", server.total));
            server.loses
        }
        Content::Journal(reading) => {
            let text = with(As::Text).load(&args.file)?;
            let careful = with(As::Careful).load(&args.file)?;
            let (Content::Journal(text), Content::Journal(careful)) =
                (&text.content, &careful.content)
            else {
                return Err(Failure::Input(format!("{path} changed its form while it was read")));
            };
            judge(&path, reading, text, careful, &mut lines)
        }
    };
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if lost { Exit::Failed } else { Exit::Held })
}

/// Says what would be lost; true when something would.
fn judge(
    path: &str,
    server: &Reading,
    text: &Reading,
    careful: &Reading,
    lines: &mut Vec<String>,
) -> bool {
    let dead = matches!(server.verdict, Verdict::Refuses | Verdict::RewriteFails);
    let values = server.diagnostics.iter().filter(|diagnostic| {
        matches!(
            diagnostic.consequence,
            Consequence::ValueAbsent | Consequence::StatementLost | Consequence::Unconfigured
        )
    });
    let values = values.count();
    let records = records(text, careful, lines);
    let whole = careful.table.len() + careful.ia_table.len();
    let verdict = match server.verdict {
        Verdict::Refuses => "dhcpd does not start with this file",
        Verdict::RewriteFails => {
            "dhcpd starts, but cannot write the file again: what comes next goes to a deleted file"
        }
        Verdict::Warns => "dhcpd starts, with complaints",
        Verdict::Clean => "dhcpd starts without a word",
    };
    lines.push(format!(
        "{path}: {verdict}; {} problems; of {whole} records {} would be lost or changed, and {values} \
         statements",
        server.diagnostics.total(),
        if dead { whole } else { records },
    ));
    dead || records > 0 || values > 0
}

/// Compares what dhcpd's parser keeps with what is there to keep.
fn records(text: &Reading, careful: &Reading, lines: &mut Vec<String>) -> usize {
    let mut lost = 0;
    let kept: BTreeMap<_, Lease> = text.leases().map(|lease| (lease.address, lease)).collect();
    for lease in careful.leases() {
        match kept.get(&lease.address) {
            Some(server) if lease_to_json(server) == lease_to_json(&lease) => continue,
            Some(server) => lines.push(format!(
                "changed: lease {} is {} here, and {} to dhcpd",
                lease.address,
                gist(&lease),
                gist(server)
            )),
            None => lines.push(format!("lost: lease {}, {}", lease.address, gist(&lease))),
        }
        lost += 1;
    }
    let mut known: Vec<String> = text.ias().map(ia_to_json).collect();
    known.sort();
    for ia in careful.ias() {
        if known.binary_search(&ia_to_json(ia)).is_err() {
            let addresses: Vec<String> =
                ia.addresses.iter().map(|held| held.address.to_string()).collect();
            lines.push(format!("lost or changed: an association with {}", addresses.join(", ")));
            lost += 1;
        }
    }
    lost
}

fn gist(lease: &Lease) -> String {
    let owner = lease.hardware.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    format!("{} until {} of {owner}", lease.state, clock::shown(lease.ends))
}
