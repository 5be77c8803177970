//! Binding states and variables, which leases and identity associations share.

use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::{BindingState, SetValue};
use crate::dhcpd::lexer::Token;

/// The binding state for a token; `None` if it is not a state.
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

/// Sets a variable or replaces its value. Names are compared without regard to case, as in dhcpd.
pub(crate) fn set_variable(set: &mut Vec<(String, SetValue)>, name: &[u8], value: SetValue) {
    match set.iter_mut().find(|(held, _)| held.as_bytes().eq_ignore_ascii_case(name)) {
        Some((_, held)) => *held = value,
        None => set.push((String::from_utf8_lossy(name).into_owned(), value)),
    }
}
