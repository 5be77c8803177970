//! What the runner recorded, as the plain data of a report.

use lab_report::{
    Call, Command, Event, EventKind, FlashShape, Operation, OperationKind, Timeline, printable,
};
use nvram_emu::device::{Op, OpKind};
use runner::{
    CallRecord, DaemonEvent, Event as RunnerEvent, EventKind as RunnerEventKind, History,
    call_text, end_text, environment_lines, stderr_lines,
};

use backend::{CallEnd, NvramCommand};
use nvram_emu::Machine;

/// A script call.
pub(super) fn call(record: &CallRecord) -> Call {
    let CallRecord { call, result, disturbance } = record;
    Call {
        arguments: call_text(call),
        environment: environment_lines(record),
        end: end_text(result.end),
        succeeded: result.end == CallEnd::Exited(0),
        fault: disturbance.as_ref().map(ToString::to_string),
        commands: result.commands.iter().map(command).collect(),
        operations: operations(&result.operations),
        stderr: stderr_lines(&result.stderr),
    }
}

/// The events of a case that ended with this machine.
pub(super) fn timeline(history: &History, machine: Option<&Machine>) -> Timeline {
    let shape = |machine: &Machine| {
        let geometry = machine.board().flash.geometry();
        FlashShape { size: geometry.size, erase_block: geometry.erase_block }
    };
    Timeline {
        events: history.events.iter().map(event).collect(),
        omitted: history.omitted,
        flash: machine.map(shape),
    }
}

/// A lease line, or anything else that a script printed.
pub(super) fn line(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn event(event: &RunnerEvent) -> Event {
    let kind = match &event.kind {
        RunnerEventKind::Step { number, text } => {
            EventKind::Step { number: *number, text: printable(text) }
        }
        RunnerEventKind::PowerOn => EventKind::PowerOn,
        RunnerEventKind::PowerOff => EventKind::PowerOff,
        RunnerEventKind::Dnsmasq(event) => EventKind::Dnsmasq { what: daemon_event(*event) },
        RunnerEventKind::Clock { jump } => EventKind::Clock { jump: *jump },
        RunnerEventKind::Client { name, action, reply, address } => EventKind::Client {
            client: printable(name),
            message: action.name().to_owned(),
            reply: reply.name().to_owned(),
            address: address.map(|address| address.to_string()),
        },
        RunnerEventKind::Call(record) => EventKind::Call(call(record)),
        RunnerEventKind::OtherProgram { arguments, code, operations: made } => {
            let run = NvramCommand { arguments: arguments.clone(), code: *code };
            EventKind::OtherProgram { command: command(&run), operations: operations(made) }
        }
        RunnerEventKind::Damage => EventKind::Damage,
    };
    Event { seconds: event.seconds, kind }
}

fn daemon_event(event: DaemonEvent) -> String {
    match event {
        DaemonEvent::Start => "start".to_owned(),
        DaemonEvent::Exit(status) if status < 0 => format!("killed by signal {}", -status),
        DaemonEvent::Exit(status) => format!("exit {status}"),
        DaemonEvent::Terminated => "SIGTERM".to_owned(),
        DaemonEvent::Killed => "SIGKILL".to_owned(),
        DaemonEvent::Sighup => "SIGHUP".to_owned(),
    }
}

fn command(command: &NvramCommand) -> Command {
    let words: Vec<String> = command.arguments.iter().map(|word| line(word)).collect();
    Command { arguments: words.join(" "), code: command.code }
}

fn operations(operations: &[Op]) -> Vec<Operation> {
    let operation = |operation: &Op| Operation {
        kind: match operation.kind {
            OpKind::Erase => OperationKind::Erase,
            OpKind::Program => OperationKind::Program,
        },
        offset: operation.offset,
        length: operation.len,
    };
    operations.iter().map(operation).collect()
}
