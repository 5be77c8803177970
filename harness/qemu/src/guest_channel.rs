//! How commands get into a guest: through a port for the agent, or through the serial console.

use std::time::Duration;

use super::agent_connection::AgentConnection;
use super::error::QemuError;
use super::timeouts::Deadline;

/// Time without a prompt after which Enter is pressed again, because a console that is not ready yet loses it.
const ENTER_LOST: Duration = Duration::from_secs(5);

/// How commands get into a guest.
#[derive(Clone, Debug)]
pub(super) enum GuestChannel {
    /// The image starts the agent on a virtio port.
    VirtioPort,
    /// The agent is started by a shell on the serial console.
    Console(ConsoleProtocol),
}

/// What the serial console of an image prints and expects before it runs a shell.
#[derive(Clone, Debug)]
pub(super) struct ConsoleProtocol {
    /// The text that asks for Enter; empty if the console shows a prompt without it.
    pub(super) activate: String,
    /// The end of the shell's prompt.
    pub(super) prompt: String,
    /// Shell commands that unpack the harness's files below `/lab`.
    pub(super) unpack: String,
    /// Name of the console's device below `/dev`.
    pub(super) device: String,
}

impl ConsoleProtocol {
    /// Waits for a prompt, unpacks the harness's files, and replaces the shell by the agent.
    ///
    /// # Errors
    /// When there is no prompt by the deadline, or the guest has ended.
    pub(super) fn start_agent(
        &self,
        connection: &mut AgentConnection,
        deadline: Deadline,
    ) -> Result<(), QemuError> {
        if !self.activate.is_empty() && !connection.wait_for_text(&self.activate, deadline)? {
            return Err(
                connection.deadline_error(deadline, &format!("the text `{}`", self.activate))
            );
        }
        loop {
            connection.send(b"\n")?;
            if connection.wait_for_text(&self.prompt, deadline.at_most(ENTER_LOST))? {
                break;
            }
            if deadline.has_passed() {
                return Err(
                    connection.deadline_error(deadline, &format!("the prompt `{}`", self.prompt))
                );
            }
        }
        let start = format!("{}; exec sh /lab/agent /dev/{}\n", self.unpack, self.device);
        connection.send(start.as_bytes())
    }
}
