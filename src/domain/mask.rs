//! Addresses as others than their owner see them.

/// An address of which enough is left to recognise it, and too little to use it: of a telephone
/// number the last two digits, of a mail address the first letter and the host.
#[must_use]
pub fn masked(address: &str) -> String {
    let (name, host) = address.split_once('@').map_or((address, None), |(n, h)| (n, Some(h)));
    let count = name.chars().count();
    let shown = |index: usize| match host {
        Some(_) => index == 0 && count > 1,
        None => index + 2 >= count && count > 4,
    };
    let letters = name.chars().enumerate();
    let name: String = letters.map(|(index, c)| if shown(index) { c } else { '*' }).collect();
    host.map_or(name.clone(), |host| format!("{name}@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked_for_others() {
        assert_eq!(masked("13812345678"), "*********78");
        assert_eq!(masked("110"), "***");
        assert_eq!(masked("wang@example.org"), "w***@example.org");
        assert_eq!(masked("w@example.org"), "*@example.org");
        assert_eq!(masked(""), "");
    }
}
