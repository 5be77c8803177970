//! Binding states and variables, which leases and identity associations have in common.

use std::collections::BTreeMap;

use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::{BindingState, SetValue};
use crate::dhcpd::lexer::Token;

/// Returns the binding state for a token, or `None` if it is not a state.
pub(super) fn state_word(token: Token) -> Option<BindingState> {
    let Token::Keyword(keyword) = token else { return None };
    Some(match keyword {
        Keyword::Abandoned => BindingState::Abandoned,
        Keyword::Free => BindingState::Free,
        Keyword::Active => BindingState::Active,
        Keyword::Expired => BindingState::Expired,
        Keyword::Released => BindingState::Released,
        Keyword::Reset => BindingState::Reset,
        Keyword::Backup => BindingState::Backup,
        _ => return None,
    })
}

/// Sets a variable or replaces its value. As in dhcpd, names are compared without regard to case.
pub(crate) fn set_variable(set: &mut Vec<(String, SetValue)>, name: &[u8], value: SetValue) {
    match set.iter_mut().find(|(held, _)| held.as_bytes().eq_ignore_ascii_case(name)) {
        Some((_, held)) => *held = value,
        None => set.push((String::from_utf8_lossy(name).into_owned(), value)),
    }
}

/// The variables of the current record by name. This index allows a record with very many variables to be read in linear
/// time.
#[derive(Debug, Default)]
pub(super) struct VariableIndex(BTreeMap<Vec<u8>, usize>);

/// The number of variables from which on the index is used.
const MANY: usize = 32;

impl VariableIndex {
    /// Does the same as [`set_variable`] for the current record. All variables of the record must be set by this function.
    pub(super) fn set(&mut self, set: &mut Vec<(String, SetValue)>, name: &[u8], value: SetValue) {
        if set.len() < MANY {
            self.0.clear();
            set_variable(set, name, value);
            return;
        }
        if self.0.len() != set.len() {
            let key =
                |(at, (name, _)): (usize, &(String, _))| (name.to_ascii_lowercase().into(), at);
            self.0 = set.iter().enumerate().map(key).collect();
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let next = set.len();
        let at = *self.0.entry(name.to_ascii_lowercase().into()).or_insert(next);
        match set.get_mut(at) {
            Some((_, held)) => *held = value,
            None => set.push((name, value)),
        }
    }
}
