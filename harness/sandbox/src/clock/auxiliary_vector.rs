//! The auxiliary vector that the kernel puts on the stack of a new program.

use rustix::process::Pid;

use super::memory;

/// Maximum number of bytes of the stack that are searched.
const MAX_BYTES: usize = 1 << 20;

const WORD: usize = size_of::<u64>();

/// Removes the entry with the address of the vDSO from the auxiliary vector of a program that has not started to run.
pub(super) fn remove_vdso(pid: Pid, stack_pointer: u64) {
    for length in [8 << 10, 128 << 10, MAX_BYTES] {
        let stack = memory::read(pid, stack_pointer, length);
        let (words, _) = stack.as_chunks::<WORD>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
        if let Some(at) = vdso_entry(&words) {
            let ignored = libc::AT_IGNORE.to_ne_bytes();
            // If the program has been killed in the meantime, there is nothing to do.
            _ = memory::write(pid, stack_pointer + (at * WORD) as u64, &ignored);
            return;
        }
    }
}

/// Returns the index of the word with the key of the vDSO. The stack contains the number of arguments, the arguments, the
/// environment and the auxiliary vector. The arguments and the environment each end with a zero.
fn vdso_entry(words: &[u64]) -> Option<usize> {
    let arguments = *words.first()? as usize;
    let environment = arguments.checked_add(2)?;
    let variables = words.get(environment..)?.iter().position(|word| *word == 0)?;
    let vector = environment + variables + 1;
    let keys = words.get(vector..)?.iter().step_by(2);
    let entry = keys
        .take_while(|key| **key != libc::AT_NULL)
        .position(|key| *key == libc::AT_SYSINFO_EHDR)?;
    Some(vector + 2 * entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_is_found_after_arguments_and_environment() {
        let stack = [2, 11, 12, 0, 21, 22, 23, 0, 6, 4096, 33, 7777, 0, 0];
        assert_eq!(vdso_entry(&stack), Some(10));
        assert_eq!(vdso_entry(&stack[..9]), None);
        assert_eq!(vdso_entry(&[0, 0, 0, 6, 4096, 0, 0, 33, 1]), None);
        assert_eq!(vdso_entry(&[u64::MAX]), None);
    }
}
